using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

[Collection(Alone.Name)]
public sealed class NetworkChangeTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Bar = TimeSpan.FromSeconds(3);

    [SkippableFact]
    public async Task A_running_program_survives_a_pulled_cable_and_a_new_address()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using TestNode left = NodeIn(cable.Left, "left", "0.0.0.0"), right = NodeIn(cable.Right, "right", "0.0.0.0");
        await PairAsync(left, right);

        Task<Ran> program = left.RunAsync("run", "@right", "--", "sh", "-c", "for i in $(seq 80); do echo line $i; sleep 0.1; done");
        await Eventually.HoldsAsync(async () => (await right.StatusAsync()).AttemptsRunning == 1, "the program runs");
        cable.Pull();
        await Task.Delay(4_000);
        cable.Plug();
        cable.MoveLeft();
        Ran answer = await right.RunAsync("--timeout", "20s", "@left", "calc", "6*7");
        Assert.True(answer.Out == "42\n", answer.ToString());

        Ran ran = await program;
        Assert.True(ran.Code == 0, ran.ToString());
        Assert.Equal(string.Concat(Enumerable.Range(1, 80).Select(line => $"line {line}\n")), ran.Out);
        await Eventually.HoldsAsync(async () => (await left.StatusAsync()).Addresses[0].StartsWith("10.213.0.77:", StringComparison.Ordinal), "it tells its new address");
    }

    [SkippableFact]
    public async Task A_transfer_goes_on_in_its_session_when_either_side_or_both_have_other_addresses_of_IPv4_and_of_IPv6()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        Cable.Readdress(cable.Left, "10.213.0.1/24");
        Cable.Readdress(cable.Right, "10.213.0.2/24");
        await using TestNode left = NodeIn(cable.Left, "left", "0.0.0.0 ::"), right = NodeIn(cable.Right, "right", "0.0.0.0 ::");
        await PairAsync(left, right);
        await using Flow flow = await Flow.StartAsync(left, right);
        ConnectionView session = await OpenAsync(left, "right");
        var bars = new Bars(output);
        int host = 10;
        foreach (string family in new[] { "IPv4", "IPv6" })
        {
            string[] Next() => family == "IPv4" ? [$"10.213.0.{++host}/24"] : [$"fe80::{++host}/64", $"fd00:213::{host}/64"];
            if (family == "IPv6")
            {
                await ChangeAsync("both, from IPv4 to IPv6", cable.Left, cable.Right);
            }

            await ChangeAsync($"who reads, {family}", cable.Left);
            await ChangeAsync($"who writes, {family}", cable.Right);
            await ChangeAsync($"both, {family}", cable.Left, cable.Right);

            Task ChangeAsync(string what, params string[] ends) => bars.HoldAsync(what, Bar, () => flow.PauseOfAsync(() => Array.ForEach(ends, end => Cable.Readdress(end, Next()))));
        }

        output.WriteLine($"{await flow.EndAsync()} bytes");
        Assert.Equal(session.OpenedAt, (await OpenAsync(left, "right")).OpenedAt);
        bars.AllHeld();
    }

    [SkippableFact]
    public async Task A_transfer_goes_on_in_its_session_when_either_side_or_both_go_to_other_homes()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.PortRestrictedCone(), NatKind.PortRestrictedCone());
        await Eventually.HoldsAsync(async () => (await meeting.B.RunAsync("grant", "a", "run")).Code == 0, "programs are allowed");
        await using Flow flow = await Flow.StartAsync(meeting.A, meeting.B);
        ConnectionView session = await OpenAsync(meeting.A, "b");
        var bars = new Bars(output);
        string a = meeting.A.Namespace!, b = meeting.B.Namespace!;
        await MoveAsync("who reads, to another home", a);
        await MoveAsync("who writes, to another home", b);
        await MoveAsync("both, to other homes", a, b);

        output.WriteLine($"{await flow.EndAsync()} bytes");
        Assert.Equal(session.OpenedAt, (await OpenAsync(meeting.A, "b")).OpenedAt);
        bars.AllHeld();

        Task MoveAsync(string what, params string[] homes) => bars.HoldAsync(what, Bar, async () =>
        {
            await meeting.IsDirectAsync();
            return await flow.PauseOfAsync(() => Array.ForEach(homes, home => lab.Move(home, NatKind.PortRestrictedCone())));
        });
    }

    /// <summary>The process is stopped, and its clocks are not: that those stand still while a machine sleeps is the simulator's part.</summary>
    [SkippableFact]
    public async Task A_transfer_goes_on_when_a_node_stood_still_for_longer_than_others_wait_for_it()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using TestNode left = NodeIn(cable.Left, "left", "0.0.0.0"), right = NodeIn(cable.Right, "right", "0.0.0.0");
        await PairAsync(left, right);
        await using Flow flow = await Flow.StartAsync(left, right);
        ConnectionView session = await OpenAsync(left, "right");
        right.Signal("STOP");
        await Eventually.HoldsAsync(async () => (await left.ConnectionsAsync("right")).All(each => each.State != "open"), "the connection is given up", TimeSpan.FromMinutes(2));
        await Task.Delay(2_000);
        var bars = new Bars(output);
        await bars.HoldAsync("after it stood still", Bar, async () =>
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            right.Signal("CONT");
            await flow.FlowsAsync();
            return watch.Elapsed;
        });

        output.WriteLine($"{await flow.EndAsync()} bytes");
        Assert.NotEqual(session.OpenedAt, (await OpenAsync(left, "right")).OpenedAt);
        bars.AllHeld();
    }

    private static async Task<ConnectionView> OpenAsync(TestNode node, string peer) => (await node.ConnectionsAsync(peer)).First(each => each.State == "open");

    private static TestNode NodeIn(string networkNamespace, string name, string listen) => new(name) { Namespace = networkNamespace, Listen = listen };

    private static async Task PairAsync(TestNode left, TestNode right)
    {
        await Task.WhenAll(left.UpAsync(), right.UpAsync());
        await left.PairWithAsync(right);
        Assert.Equal(0, (await right.RunAsync("grant", "left", "run")).Code);
    }
}
