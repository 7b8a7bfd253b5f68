using System.Security.Cryptography;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Packets of valid frames, many of them damaged, from a device that has the keys. A failing seed is one line to run again.</summary>
public class FrameFuzzTests
{
    private const int Iterations = 12_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_frames_make_a_connection_throw_or_hang_or_keep_memory_without_bound(int seed) => Run(seed, Iterations);

    [Fact]
    public void The_same_seed_gives_the_same_packets() => Assert.Equal(Run(4, 2_000), Run(4, 2_000));

    /// <returns>A digest of everything that the connections sent, byte for byte.</returns>
    private static string Run(int seed, int iterations)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(seed);
        int violations = 0, packet = 0;
        Puppet? puppet = null;
        try
        {
            for (; packet < iterations; packet++)
            {
                if (puppet is null || !puppet.Target.IsOpen)
                {
                    puppet?.Dispose();
                    puppet = Start(random);
                    violations++;
                }

                byte[] payload = Frames(random, puppet);
                if (random.Next(3) == 0)
                {
                    payload = Damage(random, payload);
                }

                puppet.Give(payload);
                Use(random, puppet);
                puppet.Sealed.ForEach(digest.AppendData);
                puppet.Forget();
                puppet.Events.Clear();
                CheckBounds(puppet);
            }
        }
        catch (Exception error)
        {
            Assert.Fail($"seed {seed}, packet {packet}: {error}");
        }

        Assert.InRange(violations, iterations / 240, iterations - 100);
        puppet?.Dispose();
        return Convert.ToHexString(digest.GetHashAndReset());
    }

    private static Puppet Start(Random random) => new(
        new ConnectionSettings { StreamWindow = 5_000, StreamWindowMax = 20_000, ClassWindow = 20_000, ClassWindowMax = 50_000, StreamsPerClassMax = 20 },
        new TransportParameters((uint)random.Next(5_000), (uint)random.Next(20_000), (ushort)random.Next(10), 1200, (byte)random.Next(256)));

    private static byte[] Frames(Random random, Puppet puppet)
    {
        var frames = new List<byte>();
        for (int i = random.Next(4); i >= 0; i--)
        {
            StreamId id = new(random.Next(4) == 0 ? (ulong)random.Next(25) : (ulong)random.Next(4), (StreamClass)random.Next(3), random.Next(4) != 0);
            frames.AddRange(random.Next(10) switch
            {
                0 or 1 or 2 => FrameBytes.Stream(id, (ulong)random.Next(3_000), new byte[random.Next(200)], fin: random.Next(40) == 0),
                3 => FrameBytes.Reset(id, (ulong)random.Next(), (ulong)random.Next(6_000)),
                4 => FrameBytes.Stop(id, (ulong)random.Next()),
                5 => FrameBytes.MaxData((StreamClass)random.Next(3), (ulong)random.Next(100_000)),
                6 => FrameBytes.MaxStreamData(id, (ulong)random.Next(50_000)),
                7 => FrameBytes.MaxStreams((StreamClass)random.Next(3), (ulong)random.Next(50)),
                8 when !frames.Contains((byte)FrameType.Ack) => Ack(random, puppet.Target.Path.Sent.Next),
                9 when random.Next(4) == 0 => FrameBytes.Path(random.Next(2) == 0 ? FrameType.PathChallenge : FrameType.PathResponse, new byte[PathFrame.DataBytes]),
                9 when random.Next(3) == 0 => FrameBytes.EcnCounts((ulong)random.Next(40), (ulong)random.Next(2), (ulong)random.Next(40)),
                9 when random.Next(3) == 0 => FrameBytes.AckFrequency(TimeSpan.FromMicroseconds(random.Next(3) * random.Next(50_000))),
                _ when random.Next(100) == 0 => random.Next(2) == 0 ? FrameBytes.Close((ulong)random.Next(), "fuzz") : FrameBytes.Rekey(new byte[RekeyMessage.Size]),
                _ => FrameBytes.Ping,
            });
        }

        return [.. frames];
    }

    private static byte[] Ack(Random random, ulong sent)
    {
        if (sent == 0)
        {
            return FrameBytes.Ping;
        }

        var ranges = new List<(ulong, ulong)>();
        ulong last = sent - 1 - (ulong)random.Next((int)Math.Min(sent, 5));
        while (ranges.Count < 10)
        {
            ulong first = last - Math.Min(last, (ulong)random.Next(6));
            ranges.Add((first, last));
            ulong gap = 2 + (ulong)random.Next(3);
            if (first < gap)
            {
                break;
            }

            last = first - gap;
        }

        return FrameBytes.Ack(TimeSpan.FromMicroseconds(random.Next(10_000)), [.. ranges]);
    }

    private static byte[] Damage(Random random, byte[] payload)
    {
        var bytes = new List<byte>(payload);
        for (int i = random.Next(3); i >= 0 && bytes.Count > 0; i--)
        {
            int at = random.Next(Math.Min(bytes.Count, 20));
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(0, Math.Min(at, 30)));
                    break;
                default:
                    bytes.RemoveRange(at, Math.Min(random.Next(9), bytes.Count - at));
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>What a program does with such a connection, at any time.</summary>
    private static void Use(Random random, Puppet puppet)
    {
        StreamLayer streams = puppet.Target.Streams;
        if (puppet.Target.IsOpen && random.Next(4) == 0 && streams.TryOpen((StreamClass)random.Next(3), out ProtocolStream? opened))
        {
            streams.Write(opened!, new byte[random.Next(5_000)]);
        }

        foreach (ProtocolStream stream in puppet.Target.IsOpen && random.Next(3) == 0 ? streams.All.ToArray() : [])
        {
            switch (random.Next(12))
            {
                case 0:
                    streams.Finish(stream);
                    break;
                case 1:
                    streams.Reset(stream, 3);
                    break;
                case 2:
                    streams.Stop(stream, 4, puppet.Now);
                    break;
                case 3 when stream.Send.CanWrite:
                    streams.Write(stream, new byte[random.Next(2_000)]);
                    break;
                case < 8 when !stream.Receive.IsStopped:
                    puppet.Read(stream, random.Next(4_000));
                    break;
            }
        }

        puppet.Now += TimeSpan.FromMilliseconds(random.Next(5) == 0 ? random.Next(100) : 1);
        puppet.Work();
    }

    private static void CheckBounds(Puppet puppet)
    {
        Connection target = puppet.Target;
        Assert.True(target.Streams.Count <= 3 * (20 + 50));
        Assert.True(target.Path.Sent.Next - target.Path.Sent.First <= SentPacketsMax);
        Assert.True(!target.IsOpen || target.NextTimeout() >= puppet.Now, $"asks to be woken in the past: {target.NextTimeout()} at {puppet.Now}");
    }

    private const ulong SentPacketsMax = 2_000;
}
