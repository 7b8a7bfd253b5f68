using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Strangers at the port of a running node.</summary>
[Collection(Alone.Name)]
public sealed class HostilePacketsTests
{
    private const long MemoryGrowthMax = 32L << 20;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Ten_seconds_of_random_bytes_get_no_answer_and_cost_neither_service_nor_memory()
    {
        await using TestNode caller = await TestNode.StartAsync("caller");
        await using TestNode target = await TestNode.StartAsync("target");
        await caller.PairWithAsync(target);
        await Eventually.HoldsAsync(async () => (await caller.RunAsync("@target", "calc", "1+1")).Out == "2\n", "the two work together");
        long before = await MemoryAsync(target);

        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var stop = new CancellationTokenSource(Duration);
        var to = new IPEndPoint(IPAddress.Loopback, target.Port);
        Task<long> attack = Task.Run(() => Attack(stranger, to, stop.Token));
        var watch = Stopwatch.StartNew();
        int served = 0;
        while (watch.Elapsed < Duration)
        {
            Ran sum = await caller.RunAsync("@target", "calc", $"{served}+1");
            Assert.True(sum.Out == $"{served + 1}\n", sum.ToString());
            served++;
        }

        long sent = await attack;
        Assert.True(sent > 10_000, $"only {sent} packets were sent");
        Assert.True(served > 3, $"only {served} commands were served");
        Assert.Equal(0, stranger.Available);
        long after = await MemoryAsync(target);
        Assert.True(after - before < MemoryGrowthMax, $"{before >> 20} MiB became {after >> 20} MiB after {sent} packets and {served} commands");
    }

    // Random bytes, and random bytes that begin as our packets do: types, versions and flags are small numbers.
    private static long Attack(Socket from, IPEndPoint to, CancellationToken stop)
    {
        const int seed = 20_261;
        var random = new Random(seed);
        byte[] packet = new byte[1500];
        long sent = 0;
        while (!stop.IsCancellationRequested)
        {
            random.NextBytes(packet);
            if (random.Next(4) > 0)
            {
                packet[0] = (byte)random.Next(8);
                packet[1] = (byte)random.Next(3);
                packet[2] = packet[3] = 0;
            }

            from.SendTo(packet.AsSpan(0, random.Next(packet.Length)), SocketFlags.None, to);
            if (++sent % 50 == 0)
            {
                // About 20,000 a second: as fast as a stranger on the same machine would starve everybody else.
                Thread.Sleep(1);
            }
        }

        return sent;
    }

    /// <summary>Resident bytes, of the node's own process.</summary>
    private static async Task<long> MemoryAsync(TestNode node)
    {
        await node.StatusAsync();
        using Process process = Process.GetProcessById(node.ProcessId);
        return process.WorkingSet64;
    }
}
