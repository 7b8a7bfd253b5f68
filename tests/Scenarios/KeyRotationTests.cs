using System.Diagnostics;
using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

public sealed class KeyRotationTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_device_with_a_new_key_keeps_its_id_grants_name_jobs_and_running_programs_and_a_copy_of_the_old_key_is_worth_nothing()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode box = await TestNode.StartAsync("box");
        await using TestNode copy = new("laptop");
        await laptop.PairWithAsync(box);
        (await box.RunAsync("grant", "laptop", "run")).Done();
        (await laptop.RunAsync("grant", "box", "run")).Done();
        (await box.RunAsync("rename", "laptop", "lap")).Done();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@box", "calc", "1")).Out == "1\n", "they are linked", Minute);
        string early = (await laptop.RunAsync("run", "--detach", "@box", "--", "echo", "before")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("logs", early)).Out == "before\n", "a job from before has ended", Minute);
        string go = Path.Combine(box.Data, "go");
        string running = (await laptop.RunAsync("run", "--detach", "@box", "--", "sh", "-c", $"while [ ! -e {go} ]; do sleep 0.1; done; echo after")).Done().Trim();
        string guest = (await box.RunAsync("run", "--detach", "@lap", "--", "sleep", "600")).Done().Trim();
        await Eventually.HoldsAsync(() => Task.FromResult(laptop.Shims() is [{ Program: > 0 }] && box.Shims() is [{ Program: > 0 }]), "programs run on both", Minute);
        int program = laptop.Shims()[0].Program;
        foreach (string file in (string[])["identity", "devices.json"])
        {
            File.Copy(Path.Combine(laptop.Data, file), Path.Combine(copy.Data, file));
        }

        await using (var from = new FileStream(Path.Combine(laptop.Data, "registry"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        await using (FileStream to = File.Create(Path.Combine(copy.Data, "registry")))
        {
            await from.CopyToAsync(to);
        }

        string id = (await laptop.StatusAsync()).Id;
        DeviceView before = await ShowAsync(box, "lap");
        RotatedView done = JsonSerializer.Deserialize((await laptop.RunAsync("--json", "devices", "rotate-key")).Done(), ControlJson.Default.RotatedView)!;
        Assert.Equal((id, before.Fingerprint), (done.Id, done.FormerFingerprint));
        Assert.NotEqual(before.Fingerprint, done.Fingerprint);
        Assert.Equal(["box"], done.Told);
        Assert.Equal(id, (await laptop.StatusAsync()).Id);

        DeviceView after = await ShowAsync(box, "lap");
        Assert.Equal((id, done.Fingerprint), (after.Id, after.Fingerprint));
        Assert.Equal(["introduce", "run"], after.Grants);
        Assert.NotNull(after.KeySince);
        Assert.True(Directory.Exists($"/proc/{program}"));
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@box", "calc", "1+1")).Out == "2\n", "it reaches the other one with its new key", Minute);
        Assert.Equal("before\n", (await laptop.RunAsync("logs", early)).Out);
        File.WriteAllText(go, "");
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("logs", running)).Out == "after\n", "a program from before tells its end to the same home", Minute);
        string job = (await laptop.RunAsync("run", "--detach", "@box", "--", "echo", "new")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("logs", job)).Out == "new\n", "its grant holds", Minute);
        (await box.RunAsync("job", "cancel", guest)).Done();
        await Eventually.HoldsAsync(() => Task.FromResult(!Directory.Exists($"/proc/{program}")), "what the other one had started there before is still its own", Minute);

        // Both live: who has the old key knows everybody's addresses and is nobody.
        await copy.UpAsync();
        Assert.Equal((id, 1), ((await copy.StatusAsync()).Id, (await copy.StatusAsync()).PeersKnown));

        // It is told why, with proof, and that is all that it gets; the device keeps its connection meanwhile.
        await Eventually.HoldsAsync(async () => (await copy.StatusAsync()).Key?.Code == "AM0176", "the copy knows that it is one", Minute);
        await Eventually.HoldsAsync(async () => (await copy.StatusAsync()).PeersConnected == 0, "it is let go", Minute);
        (await copy.RunAsync("connect", $"127.0.0.1:{box.Port}")).Refused();
        Assert.Equal(0, (await copy.StatusAsync()).PeersConnected);
        (await copy.RunAsync("devices", "rotate-key")).Refused("AM0176");
        Assert.Null((await laptop.StatusAsync()).Key);
        Assert.Equal("2\n", (await laptop.RunAsync("@box", "calc", "1+1")).Out);
    }

    [Fact]
    public async Task A_device_whose_key_a_thief_has_changed_is_told_and_knows_it_after_a_restart_and_so_does_the_thief_once_both_have()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode box = await TestNode.StartAsync("box");
        await using TestNode thief = new("laptop");
        await laptop.PairWithAsync(box);
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@box", "calc", "1")).Out == "1\n", "they are linked", Minute);
        string id = (await laptop.StatusAsync()).Id;

        // Somebody copies the directory, and is faster with another key while the laptop is off.
        (await laptop.RunAsync("down")).Done();
        foreach (string file in (string[])["identity", "devices.json", "registry"])
        {
            File.Copy(Path.Combine(laptop.Data, file), Path.Combine(thief.Data, file));
        }

        await thief.UpAsync();
        await Eventually.HoldsAsync(async () => (await thief.StatusAsync()).PeersConnected == 1, "the thief is the laptop to the box", Minute);
        (await thief.RunAsync("devices", "rotate-key")).Done();
        string stolen = (await ShowAsync(box, "laptop")).Fingerprint;

        await laptop.UpAsync();
        await Eventually.HoldsAsync(async () => (await laptop.StatusAsync()).Key?.Code == "AM0176", "the laptop knows why nobody lets it in", Minute);
        DeviceView own = await ShowAsync(laptop, "laptop");
        Assert.Equal(("forked", stolen), (own.State, Assert.Single(own.Claims).Fingerprint));
        Ran doctor = await laptop.RunAsync("doctor");
        Assert.Contains("AM0176", doctor.Out, StringComparison.Ordinal);
        Assert.Contains($"agentmesh devices revoke {id[..12]}", doctor.Out, StringComparison.Ordinal);
        Assert.Contains("AM0176", (await laptop.RunAsync("status")).Done(), StringComparison.Ordinal);
        Assert.Contains("AM0176", File.ReadAllText(Path.Combine(laptop.Data, "node.log")), StringComparison.Ordinal);

        laptop.KillHard();
        await laptop.UpAsync();
        Assert.Equal("AM0176", (await laptop.StatusAsync()).Key?.Code);

        // What it says to do puts the thief out as well.
        (await box.RunAsync("devices", "revoke", id[..12])).Done();
        (await laptop.RunAsync("compromised", "--yes")).Done();
        await laptop.UpAsync();
        Assert.Null((await laptop.StatusAsync()).Key);
        await Eventually.HoldsAsync(async () => (await thief.StatusAsync()).PeersConnected == 0, "the thief is out", Minute);
        await laptop.PairWithAsync(box);
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@box", "calc", "1")).Out == "1\n", "the laptop is in again as another", Minute);
    }

    [Fact]
    public async Task A_change_of_key_that_is_killed_goes_on_at_the_next_start_and_others_can_be_paired_with_the_new_key()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode box = await TestNode.StartAsync("box");
        await using TestNode fresh = await TestNode.StartAsync("fresh");
        await laptop.PairWithAsync(box);
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@box", "calc", "1")).Out == "1\n", "they are linked", Minute);
        string id = (await laptop.StatusAsync()).Id, fingerprint = (await ShowAsync(box, "laptop")).Fingerprint;
        box.Signal("STOP");
        try
        {
            using Process rotating = laptop.Start("devices", "rotate-key");
            await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(Path.Combine(laptop.Data, "identity.next"))), "the next key is on disk", Minute);
            laptop.KillHard();
            await rotating.WaitForExitAsync();
        }
        finally
        {
            box.Signal("CONT");
        }

        await laptop.UpAsync();
        await Eventually.HoldsAsync(async () => (await ShowAsync(box, "laptop")).Fingerprint != fingerprint, "the other one has heard of it", Minute);
        await Eventually.HoldsAsync(() => Task.FromResult(!File.Exists(Path.Combine(laptop.Data, "identity.next"))), "it is done", Minute);
        await Eventually.HoldsAsync(async () => (await box.RunAsync("@laptop", "calc", "1+1")).Out == "2\n", "they are linked again", Minute);
        Assert.Equal((id, 1), ((await laptop.StatusAsync()).Id, (await box.StatusAsync()).PeersKnown));

        // Who never knew the first key learns whose key it is.
        await laptop.PairWithAsync(fresh);
        await Eventually.HoldsAsync(async () => (await fresh.PeersAsync()).Any(peer => peer.Id == id && peer.State == "connected"), "it is the same device for the new one", Minute);
        await Eventually.HoldsAsync(async () => (await fresh.RunAsync("@laptop", "calc", "2+2")).Out == "4\n", "commands reach it", Minute);
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@fresh", "calc", "3+3")).Out == "6\n", "and back", Minute);
    }

    /// <summary>Both behind NATs that give out another port for each address: nothing but the beacon leads from one to the other.</summary>
    [SkippableFact]
    public async Task A_device_that_is_reached_over_a_beacon_alone_gets_another_key_and_the_other_one_follows()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.Symmetric(), NatKind.Symmetric());
        await Eventually.HoldsAsync(async () => (await meeting.A.RunAsync("--timeout", "20s", "@b", "calc", "1+2")).Out == "3\n", "they work together", Minute);
        Assert.StartsWith("relay via", (await Meeting.PeerOf(meeting.A)).Path, StringComparison.Ordinal);
        string id = (await meeting.A.StatusAsync()).Id, before = (await ShowAsync(meeting.B, "a")).Fingerprint;

        RotatedView done = JsonSerializer.Deserialize((await meeting.A.RunAsync("--json", "devices", "rotate-key")).Done(), ControlJson.Default.RotatedView)!;

        Assert.Equal((id, before), (done.Id, done.FormerFingerprint));
        Assert.Equal(["b"], done.Told);
        DeviceView after = await ShowAsync(meeting.B, "a");
        Assert.Equal((id, done.Fingerprint), (after.Id, after.Fingerprint));
        await Eventually.HoldsAsync(async () => (await meeting.A.RunAsync("--timeout", "20s", "@b", "calc", "1+1")).Out == "2\n", "it reaches the other one with its new key", Minute);
        await Eventually.HoldsAsync(async () => (await meeting.B.RunAsync("--timeout", "20s", "@a", "calc", "2+2")).Out == "4\n", "the other one reaches it by its new key", Minute);
        PeerView there = await Meeting.PeerOf(meeting.B);
        Assert.True(there.Id == id && there.Path!.StartsWith("relay via", StringComparison.Ordinal), $"{there.Id} {there.Path}");
    }

    /// <summary>Nothing but the beacon leads to the only one who knows, who is behind a NAT as the laptop is.</summary>
    [SkippableFact]
    public async Task A_device_whose_key_a_thief_has_changed_is_told_over_a_beacon_alone()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.Symmetric(), NatKind.Symmetric());
        (TestNode laptop, TestNode box) = (meeting.A, meeting.B);
        await using TestNode thief = new("a") { Namespace = lab.Host("thief", "203.0.113.60"), Listen = "0.0.0.0" };
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("--timeout", "20s", "@b", "calc", "1+2")).Out == "3\n", "they work together", Minute);
        (await laptop.RunAsync("down")).Done();
        foreach (string file in (string[])["identity", "devices.json", "registry", "agentmesh.conf"])
        {
            File.Copy(Path.Combine(laptop.Data, file), Path.Combine(thief.Data, file));
        }

        await thief.UpAsync();
        await Eventually.HoldsAsync(async () => (await thief.StatusAsync()).PeersConnected == 1, "the thief is the laptop to the box", Minute);
        (await thief.RunAsync("devices", "rotate-key")).Done();
        string stolen = (await ShowAsync(box, "a")).Fingerprint;

        await laptop.UpAsync();
        await Eventually.HoldsAsync(async () => (await laptop.StatusAsync()).Key?.Code == "AM0176", "the laptop knows why nobody lets it in", Minute);
        DeviceView own = await ShowAsync(laptop, "a");
        Assert.Equal(("forked", stolen), (own.State, Assert.Single(own.Claims).Fingerprint));
        await Eventually.HoldsAsync(async () => (await thief.StatusAsync()).PeersConnected == 1, "the box speaks with the key that it believes", Minute);
    }

    private static async Task<DeviceView> ShowAsync(TestNode on, string name) =>
        JsonSerializer.Deserialize((await on.RunAsync("--json", "devices", "show", name)).Done(), ControlJson.Default.DeviceView)!;
}
