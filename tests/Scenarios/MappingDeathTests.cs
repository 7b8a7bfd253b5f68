using System.Diagnostics;
using System.Globalization;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>
/// NATs of the kernel that forget, and give the next packets another outside port or address, without a word, in the middle of a transfer: each kind of death once with
/// everything else, and again and again for so many minutes with <c>AGENTMESH_MAPPING_DEATHS=10</c> (docs/scenarios.md).
/// </summary>
[Collection(Alone.Name)]
public sealed class MappingDeathTests(ITestOutputHelper output)
{
    private const string Minutes = "AGENTMESH_MAPPING_DEATHS";

    // The bridge of the lab is 203.0.113.254.
    private const int RenumberedMax = 200;

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
        var firsts = new List<double>();
        TimeSpan longest = TimeSpan.Zero;
        flow.Mark(); // until its first byte the program was being started
        foreach ((string what, Action kill) in InTurn(Deaths(lab, meeting)))
        {
            int before = firsts.Count;
            await bars.HoldAsync(what, Bar, async () =>
            {
                await meeting.IsDirectAsync();
                KeepLongest(); // until the next death, with the way back from the relay
                TimeSpan pause = await flow.PauseOfAsync(kill);
                if (firsts.Count == before)
                {
                    firsts.Add(pause.TotalSeconds);
                }

                return pause;
            });
        }

        KeepLongest();
        firsts.Sort();
        long bytes = await flow.EndAsync();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{firsts.Count} deaths: p50 {firsts[firsts.Count / 2]:0.00} s, p95 {firsts[firsts.Count * 95 / 100]:0.00} s, most {firsts[^1]:0.00} s, {firsts.Count(pause => pause > Bar.TotalSeconds)} over the bar at first; never nothing for more than {longest.TotalSeconds:0.00} s; {bytes} bytes"));
        Assert.Equal(session.OpenedAt, (await meeting.A.ConnectionsAsync("b")).First(each => each.State == "open").OpenedAt);
        bars.AllHeld();

        void KeepLongest() => longest = flow.Pause > longest ? flow.Pause : longest;
    }

    /// <summary>Each of them once; or at random for as many minutes as <see cref="Minutes"/> says.</summary>
    private IEnumerable<(string What, Action Kill)> InTurn(IReadOnlyList<(string What, Action Kill)> deaths)
    {
        if (!double.TryParse(Environment.GetEnvironmentVariable(Minutes), CultureInfo.InvariantCulture, out double minutes))
        {
            return deaths;
        }

        int seed = Environment.TickCount;
        output.WriteLine($"in the order of seed {seed}");
        return AtRandom(new Random(seed));

        IEnumerable<(string, Action)> AtRandom(Random random)
        {
            var watch = Stopwatch.StartNew();
            while (watch.Elapsed < TimeSpan.FromMinutes(minutes))
            {
                yield return deaths[random.Next(deaths.Count)];
            }
        }
    }

    private static IReadOnlyList<(string What, Action Kill)> Deaths(NatLab lab, Meeting meeting)
    {
        string a = meeting.A.Namespace!, b = meeting.B.Namespace!;
        var outside = new Dictionary<string, string> { [a] = "203.0.113.1", [b] = "203.0.113.2" };
        int port = 41_000, renumbered = 0;
        return
        [
            ("the box of who reads forgets", () => lab.Restart(a, outside[a], NatKind.PortRestrictedCone())),
            ("another port for who reads", () => NewPort(a)),
            ("another port for who writes", () => NewPort(b)),
            ("other ports for both at once", () =>
            {
                NewPort(a);
                NewPort(b);
            }),
            ("another address for who reads", () => NewAddress(a)),
            ("other addresses for both at once", () =>
            {
                NewAddress(a);
                NewAddress(b);
            }),
        ];

        void NewPort(string home) => lab.Restart(home, outside[home], NatKind.PortRestrictedCone(++port));

        void NewAddress(string home)
        {
            if (++renumbered > RenumberedMax)
            {
                NewPort(home); // the network has no more addresses
                return;
            }

            outside[home] = lab.Renumber(home);
        }
    }
}
