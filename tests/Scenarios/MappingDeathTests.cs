using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>NATs of the kernel that forget, and give the next packets another outside port or address, without a word.</summary>
[Collection(Alone.Name)]
public sealed class MappingDeathTests(ITestOutputHelper output)
{
    // Though the way to the relay passes the same box, and is gone with the direct one.
    private static readonly TimeSpan Bar = TimeSpan.FromSeconds(1);

    [SkippableFact]
    public async Task A_transfer_goes_on_in_its_session_when_mappings_die()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.PortRestrictedCone(), NatKind.PortRestrictedCone());
        await Eventually.HoldsAsync(async () => (await meeting.B.RunAsync("grant", "a", "run")).Code == 0, "programs are allowed");
        await using Flow flow = await Flow.StartAsync(meeting.A, meeting.B);
        ConnectionView session = (await meeting.A.ConnectionsAsync("b")).First(each => each.State == "open");
        var bars = new Bars(output);
        string a = meeting.A.Namespace!, b = meeting.B.Namespace!;
        const string outsideOfA = "203.0.113.1", outsideOfB = "203.0.113.2";
        int port = 41_000;
        await KillAsync("the box of who reads forgets", () => lab.Restart(a, outsideOfA, NatKind.PortRestrictedCone()));
        await KillAsync("another port for who reads", () => lab.Restart(a, outsideOfA, NatKind.PortRestrictedCone(++port)));
        await KillAsync("another port for who writes", () => lab.Restart(b, outsideOfB, NatKind.PortRestrictedCone(++port)));
        await KillAsync("other ports for both at once", () =>
        {
            lab.Restart(a, outsideOfA, NatKind.PortRestrictedCone(++port));
            lab.Restart(b, outsideOfB, NatKind.PortRestrictedCone(++port));
        });
        await KillAsync("another address for who reads", () => lab.Renumber(a));
        await KillAsync("other addresses for both at once", () =>
        {
            lab.Renumber(a);
            lab.Renumber(b);
        });

        output.WriteLine($"{await flow.EndAsync()} bytes");
        Assert.Equal(session.OpenedAt, (await meeting.A.ConnectionsAsync("b")).First(each => each.State == "open").OpenedAt);
        bars.AllHeld();

        Task KillAsync(string what, Action kill) => bars.HoldAsync(
            what,
            Bar,
            async () =>
            {
                await meeting.IsDirectAsync();
                return await flow.PauseOfAsync(kill);
            });
    }
}
