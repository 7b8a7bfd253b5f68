using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class TransferTests
{
    public static TheoryData<int> Blocks => [.. Enumerable.Range(0, 6)];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Bytes_arrive_whole_and_in_order_whatever_the_network_does(int block)
    {
        for (int seed = block * 20; seed < (block + 1) * 20; seed++)
        {
            var random = new Random(seed);
            using var pair = new Pair(new PairSettings
            {
                Seed = seed,
                DatagramBytes = random.Next(2) == 0 ? 1200 : random.Next(1200, 9000),
                Link = new LinkSettings
                {
                    Delay = TimeSpan.FromMilliseconds(random.Next(0, 80)),
                    Jitter = TimeSpan.FromMilliseconds(random.Next(0, 20)),
                    Loss = random.Next(0, 11) / 100.0,
                    Duplication = random.Next(0, 5) / 100.0,
                    Reordering = random.Next(0, 20) / 100.0,
                    Rate = random.Next(3) == 0 ? 0 : random.Next(2, 50) * 1e6,
                    QueueBytes = random.Next(10, 200) * 1000,
                },
            });
            Dictionary<ulong, (PairSide To, ulong Length)> sent = [];
            foreach ((PairSide from, PairSide to) in new[] { (pair.A, pair.B), (pair.B, pair.A) })
            {
                for (int i = random.Next(1, 12); i > 0; i--)
                {
                    ulong length = (ulong)(random.Next(4) == 0 ? random.Next(0, 3) : random.Next(0, 60_000));
                    sent.Add(from.SendNew(length, (StreamClass)random.Next(3)).Id.Value, (to, length));
                }
            }

            foreach (PairSide side in new[] { pair.A, pair.B })
            {
                side.OnOpened = stream => side.Streams.Finish(stream);
            }

            pair.Until(() => sent.All(s => s.Value.To.Readings.TryGetValue(s.Key, out Reading? r) && r.Ended), TimeSpan.FromSeconds(120), "not everything arrived");
            Assert.All(sent, s => Assert.Equal(s.Value.Length, s.Value.To.Readings[s.Key].Bytes));

            // Both sides know that everything is over.
            pair.Until(() => pair.A.Streams.Count == 0 && pair.B.Streams.Count == 0, TimeSpan.FromSeconds(30), "streams are left over");
            Assert.True(pair.A.Connection.IsOpen && pair.B.Connection.IsOpen, pair.Describe("ended"));
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_run()
    {
        Assert.Equal(RunOnce(), RunOnce());

        static (TimeSpan, long, long) RunOnce()
        {
            using var pair = new Pair(new PairSettings { Seed = 5, Link = new LinkSettings { Loss = 0.05, Jitter = TimeSpan.FromMilliseconds(3), Reordering = 0.1 } });
            ProtocolStream stream = pair.A.SendNew(500_000);
            pair.Until(() => pair.B.ReadingOf(stream).Ended);
            return (pair.Elapsed, pair.A.Outgoing.EnteredBytes, pair.B.Outgoing.EnteredBytes);
        }
    }

    [Fact]
    public void Survives_a_cut_of_some_seconds_without_losing_a_byte()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Rate = 20e6 } });
        ProtocolStream stream = pair.A.SendNew(4_000_000);
        pair.Run(300);
        pair.A.Outgoing.IsCut = pair.B.Outgoing.IsCut = true;
        pair.Run(6_000);
        pair.A.Outgoing.IsCut = pair.B.Outgoing.IsCut = false;
        ulong before = pair.B.ReadingOf(stream).Bytes;
        pair.Until(() => pair.B.ReadingOf(stream).Bytes > before, TimeSpan.FromSeconds(2.5), "a probe goes out every two seconds at least");
        pair.Until(() => pair.B.ReadingOf(stream).Ended);
        Assert.Equal(4_000_000UL, pair.B.ReadingOf(stream).Bytes);
    }

    [Fact]
    public void An_acknowledged_connection_without_traffic_wakes_nobody_but_for_its_timeouts()
    {
        using var pair = new Pair(new PairSettings { A = new ConnectionSettings { KeepAlive = TimeSpan.Zero }, B = new ConnectionSettings { KeepAlive = TimeSpan.Zero } });
        ProtocolStream stream = pair.A.SendNew(1000, finish: false);
        pair.Until(() => pair.B.ReadingOf(stream).Bytes == 1000);
        pair.Run(1000);
        long before = pair.Wakeups;
        pair.Run(TimeSpan.FromSeconds(100));
        Assert.Equal(0, pair.Wakeups - before);
    }
}
