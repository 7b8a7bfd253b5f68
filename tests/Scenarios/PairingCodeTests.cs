using System.Diagnostics;
using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Devices that know nothing of each other but what one person says to another.</summary>
[Collection(Alone.Name)]
public sealed class PairingCodeTests(ITestOutputHelper output)
{
    [SkippableFact]
    public Task Two_devices_on_a_cable_without_internet_pair_by_a_code() => MeetAsync("0.0.0.0");

    [SkippableFact]
    public Task They_do_by_link_local_IPv6_addresses_alone() => MeetAsync("::");

    [SkippableFact]
    public async Task Nobody_answers_on_a_cable_that_was_cut()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using TestNode left = NodeIn(cable.Left, "left", "0.0.0.0"), right = NodeIn(cable.Right, "right", "0.0.0.0");
        await left.UpAsync();
        await right.UpAsync();
        string code = await CodeAsync(left);
        cable.Pull();

        // Which of the two it is hangs on whether the node has seen yet that its interface is down.
        Ran nobody = await right.RunAsync("join", code);
        Refused(nobody, nobody.Error.Contains("AM0173", StringComparison.Ordinal) ? "AM0173" : "AM0134", "--at");
    }

    [Fact]
    public async Task A_wrong_code_is_burnt_and_told_to_who_invited_and_the_next_one_works()
    {
        await using TestNode host = await TestNode.StartAsync("host"), guest = await TestNode.StartAsync("guest");
        using Process waiting = host.Start("invite", "--code", "--wait");
        string code = (await waiting.StandardOutput.ReadLineAsync())!;
        string wrong = code[..^4] + (code[^4..] == "0000" ? "0001" : "0000");

        Refused(await JoinAsync(guest, wrong, host), "AM0136", "one guess");
        Refused(await JoinAsync(guest, code, host), "AM0137", "wrong guess");
        string told = "";
        while (!told.Contains("tried a wrong code", StringComparison.Ordinal))
        {
            told = (await waiting.StandardError.ReadLineAsync())!;
        }

        string next = told.Split(' ')[^1];
        Ran joined = await JoinAsync(guest, next.ToLowerInvariant().Replace('-', ' '), host);
        Assert.True(joined.Code == 0, joined.ToString());
        string seen = await waiting.StandardOutput.ReadToEndAsync();
        await waiting.WaitForExitAsync();
        Assert.Equal(0, waiting.ExitCode);
        Assert.Equal(DigitsIn(joined.Out), DigitsIn(seen));
        await Eventually.HoldsAsync(async () => (await guest.RunAsync("@host", "calc", "6*7")).Out == "42\n", "they work together");
    }

    [Fact]
    public async Task Two_invitations_that_are_open_at_once_lead_to_the_grants_of_each_and_work_once()
    {
        await using TestNode host = await TestNode.StartAsync("host"), first = await TestNode.StartAsync("first"), second = await TestNode.StartAsync("second");
        string plain = await CodeAsync(host), granting = await CodeAsync(host, "--grant", "run");

        Assert.Equal(0, (await JoinAsync(second, granting, host)).Code);
        Assert.Equal(0, (await JoinAsync(first, plain, host)).Code);

        Refused(await JoinAsync(first, granting, host), "AM0137", "used");
        PeerView[] peers = JsonSerializer.Deserialize((await host.RunAsync("--json", "peers")).Out, ControlJson.Default.IReadOnlyListPeerView)!.ToArray();
        Assert.Equal(["run"], peers.Single(peer => peer.Name == "second").Grants);
        Assert.Empty(peers.Single(peer => peer.Name == "first").Grants);
        string listed = (await host.RunAsync("invitations")).Out;
        Assert.DoesNotContain(plain, listed, StringComparison.Ordinal);
        Assert.Contains("second", listed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_a_malformed_and_an_own_code_are_refused_and_the_link_ends_with_its_code()
    {
        await using TestNode host = await TestNode.StartAsync("host"), guest = await TestNode.StartAsync("guest");
        string brief = await CodeAsync(host, "--valid", "1s");
        await Task.Delay(1500);
        Refused(await JoinAsync(guest, brief, host), "AM0137", "expired");
        Refused(await guest.RunAsync("join", "ambr-walnut-1234"), "AM0135", "'ambr'");
        Refused(await guest.RunAsync("join", "amber-walnut-1234"), "AM0134", "loopback only");
        Refused(await JoinAsync(guest, "amber-walnut-1234", host), "AM0134", "AMBER");
        Refused(await guest.RunAsync("join", "amber-walnut-1234", "--at", "no such place"), "AM0208", "--at");
        string code = await CodeAsync(host);
        Refused(await JoinAsync(host, code, host), "AM0139", "other device");

        InvitationView both = JsonSerializer.Deserialize((await host.RunAsync("--json", "invite")).Out, ControlJson.Default.InvitationView)!;
        Assert.Equal(0, (await JoinAsync(guest, both.Code!, host)).Code);
        await using TestNode late = await TestNode.StartAsync("late");
        Refused(await late.RunAsync("join", both.Link), "AM0112", "invite");
    }

    private static void Refused(Ran ran, string code, string words)
    {
        Assert.True(ran.Code == 255, ran.ToString());
        Assert.Contains(code, ran.Error, StringComparison.Ordinal);
        Assert.Contains(words, ran.Error, StringComparison.Ordinal);
    }

    private static Task<Ran> JoinAsync(TestNode guest, string code, TestNode host) => guest.RunAsync("join", code, "--at", $"127.0.0.1:{host.Port}");

    private static async Task<string> CodeAsync(TestNode host, params string[] more)
    {
        Ran invited = await host.RunAsync(["invite", "--code", .. more]);
        Assert.True(invited.Code == 0, invited.ToString());
        return invited.Out.Trim();
    }

    private static string DigitsIn(string text) => text.Split("check digits: ")[1].Trim();

    private static TestNode NodeIn(string networkNamespace, string name, string listen) => new(name) { Namespace = networkNamespace, Listen = listen };

    private async Task MeetAsync(string listen)
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using TestNode left = NodeIn(cable.Left, "left", listen), right = NodeIn(cable.Right, "right", listen);
        await left.UpAsync();
        await right.UpAsync();
        string code = await CodeAsync(left);
        var watch = Stopwatch.StartNew();

        Ran joined = await right.RunAsync("join", code);

        TimeSpan took = watch.Elapsed;
        output.WriteLine($"joined after {took.TotalSeconds:0.0} s, the start of the command line included");
        Assert.True(joined.Code == 0, joined.ToString());
        Assert.InRange(took.TotalSeconds, 0, 5);
        await Eventually.HoldsAsync(async () => (await right.RunAsync("@left", "calc", "6*7")).Out == "42\n", "they work together");
        await Eventually.HoldsAsync(async () => (await left.RunAsync("@right", "calc", "6*7")).Out == "42\n", "in both directions");
    }
}
