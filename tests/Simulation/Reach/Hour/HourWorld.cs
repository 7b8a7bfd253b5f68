using AgentMesh.Protocol.Connections;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// A connection that is used all the time while its direct path comes and goes every second, with a relay beside it, and its keys are renewed again and
/// again. An hour and a million messages for few seeds, the same in twenty seconds for the others.
/// </summary>
internal sealed class HourWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    /// <summary>Of two hundred seeds in CI, one has the whole hour.</summary>
    public const int WholeEvery = 200;

    private const double MessageEvery = 0.0036;

    private static readonly TimeSpan PauseMax = TimeSpan.FromMilliseconds(250);

    public static IReadOnlyList<Bar> Bars { get; } = [Bar.Within(PauseOutside, PauseMax, share: 1), Bar.Within(PauseInside, Seconds(1.5), share: 0.95)];

    private const string PauseOutside = "longest pause outside a flap, s";

    private const string PauseInside = "longest pause in a flap, s";

    public override void Run()
    {
        bool isWhole = Seed % WholeEvery == 1;
        TimeSpan time = isWhole ? TimeSpan.FromHours(1) : Seconds(20);
        TimeSpan rekey = isWhole ? Seconds(120) : Between(Seconds(5), Seconds(8));
        using var pair = new FlapPair(Seed, rekey, direct: Between(Seconds(0.005), Seconds(0.03)), relay: Between(Seconds(0.01), Seconds(0.04)));
        pair.Run(Seconds(3)); // both paths are known
        long heapBefore = GC.GetTotalMemory(forceFullCollection: true), messages = (long)(time / Seconds(MessageEvery));
        TimeSpan start = pair.Now;
        for (long sent = 0; sent < messages; sent++)
        {
            TimeSpan at = start + (Seconds(MessageEvery) * sent);
            pair.RunUntil(at);

            // Every second: the direct path goes, or comes back.
            pair.IsDirectCut = ((long)(at - start).TotalSeconds & 1) == 1;
            pair.A.Say();
            if (sent % 10 == 0)
            {
                pair.B.Say();
            }
        }

        pair.IsDirectCut = false;
        pair.Run(Seconds(5));
        Require(pair.A.Connection.IsOpen && pair.B.Connection.IsOpen, $"the connection ended: {pair.A.Connection.End}, {pair.B.Connection.End}");
        Require(pair.B.Heard == messages && pair.A.Heard == (messages + 9) / 10, $"{pair.B.Heard} of {messages} and {pair.A.Heard} of {(messages + 9) / 10} messages came");
        Require(pair.Epoch >= (uint)(time / rekey) - 1, $"the keys are of epoch {pair.Epoch} after {time} with a renewal every {rekey}");
        Require(pair.Moves >= (int)(time.TotalSeconds / 4), $"{pair.Moves} moves between the paths in {time}");
        Require(pair.A.Connection.Path.Sent.Next - pair.A.Connection.Path.Sent.First < 2_000, "what was sent is remembered without bound");
        long grown = GC.GetTotalMemory(forceFullCollection: true) - heapBefore;
        Require(grown < 2 << 20, $"the heap has grown by {grown:N0} bytes");
        Weigh(isWhole ? "heap grown in an hour, bytes" : "heap grown in twenty seconds, bytes", grown);
        Measure(PauseOutside, pair.LongestOutside);
        Measure(PauseInside, pair.LongestInside);
        Count("renewals of keys", (int)pair.Epoch);
        Count("moves between direct and relay", pair.Moves);
        Count("messages", (int)messages);
        Steps += pair.Datagrams;
    }
}
