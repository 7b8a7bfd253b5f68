using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace Benchmarks;

/// <summary>What it takes to open a session by key, to keep one that is idle, and to open one while strangers flood the socket.</summary>
internal static class SessionBenchmark
{
    private const int Connects = 300;
    private const int HyperDhtConnects = 100;
    private const int Grid = 24;
    private const int FloodPerSecond = 100_000;
    private const int ConnectsInFlood = 40;

    public static async Task RunAsync(Report report)
    {
        report.Part("sessions, loopback");
        await Connect(report);
        await Idle(report);
        await Flood(report, "handshakes without the device's key (one hash each)", Forged());
        await Flood(report, "handshakes of strangers who know the device's key", null);
    }

    private static async Task Connect(Report report)
    {
        await using Party a = Party.Open(), b = Party.Open();
        List<double> times = await ConnectAsync(a, b, Connects);
        double ours = Report.Percentile(times, 0.5);
        ((string Version, double Milliseconds)? hyper, string? why) = NodePeers.HyperDht(HyperDhtConnects);
        report.Line(
            "connect by key to the first echo, p50", ours, hyper?.Milliseconds, "ms", hyper is { } figures ? $"hyperdht {figures.Version}" : null, lowerIsBetter: true,
            includes: "here the address is remembered, HyperDHT looks it up in a network of six nodes");
        if (hyper is null)
        {
            report.Note($"HyperDHT: skipped, {why}");
        }
    }

    private static async Task Idle(Report report)
    {
        List<Party> left = [], right = [];
        for (int i = 0; i < Grid; i++)
        {
            left.Add(Party.Open());
            right.Add(Party.Open());
        }

        // The first session of an endpoint pays for what all of them share.
        for (int i = 0; i < Grid; i++)
        {
            await ConnectOnceAsync(left[i], right[i]);
        }

        await Task.Delay(TimeSpan.FromSeconds(3));
        long before = GC.GetTotalMemory(forceFullCollection: true);
        int sessions = 0;
        for (int i = 0; i < Grid; i++)
        {
            for (int j = 0; j < Grid; j++)
            {
                if (i != j)
                {
                    await ConnectOnceAsync(left[i], right[j]);
                    sessions += 2;
                }
            }
        }

        // What a handshake needed is given back after its grace.
        await Task.Delay(TimeSpan.FromSeconds(3));
        TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(5));
        double share = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds / 5;
        double bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)sessions;
        report.Line("idle session, managed heap at one end", bytes / 1024, null, "KiB", includes: string.Create(CultureInfo.InvariantCulture, $"{sessions} ends in one process, which together use {100 * share:0.0} % of a core"));
        foreach (Party party in left.Concat(right))
        {
            await party.DisposeAsync();
        }
    }

    private static async Task Flood(Report report, string what, byte[][]? junk)
    {
        await using Party a = Party.Open(), b = Party.Open(admits: a.Key);
        junk ??= Strangers(b.Key);
        using var stop = new CancellationTokenSource();
        long sent = 0;
        var watch = Stopwatch.StartNew();
        var flood = new Thread(() =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            SocketAddress to = b.Endpoint.LocalAddresses[0].Serialize();
            while (!stop.IsCancellationRequested)
            {
                if (sent < watch.Elapsed.TotalSeconds * FloodPerSecond)
                {
                    socket.SendTo(junk[sent % junk.Length], SocketFlags.None, to);
                    sent++;
                }
            }
        });
        flood.Start();
        await Task.Delay(TimeSpan.FromSeconds(1));
        List<double> times;
        try
        {
            times = await ConnectAsync(a, b, ConnectsInFlood);
        }
        catch (MeshException error)
        {
            report.Note($"connect of an admitted device in a flood of {what}: failed, {error.Message}");
            return;
        }
        finally
        {
            await stop.CancelAsync();
            flood.Join();
        }

        double rate = sent / watch.Elapsed.TotalSeconds;
        MeshEndpointCounters seen = b.Endpoint.Counters;
        report.Line(
            "connect of an admitted device in a flood, p50", Report.Percentile(times, 0.5), null, "ms",
            includes: string.Create(CultureInfo.InvariantCulture, $"slowest of {ConnectsInFlood} {times[^1]:N0} ms; {rate:N0}/s {what}, {seen.DatagramsReceived:N0} of {sent:N0} received"));
    }

    private static byte[][] Forged()
    {
        byte[][] all = new byte[256][];
        byte[] model = Strangers(DeviceIdentity.Create(SystemEntropy.Instance).PublicKey, 1)[0];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = [.. model];
            RandomNumberGenerator.Fill(all[i].AsSpan(4));
        }

        return all;
    }

    private static byte[][] Strangers(DevicePublicKey to, int count = 2_000)
    {
        byte[][] all = new byte[count][];
        byte[] buffer = new byte[HandshakeEndpoint.MaxDatagramBytes];
        var now = new MeshInstant(TimeSpan.Zero, DateTimeOffset.UtcNow);
        for (int i = 0; i < count; i++)
        {
            using var stranger = new HandshakeEndpoint(DeviceIdentity.Create(SystemEntropy.Instance), new Guests(), new HandshakeSettings(), new InitiationStamps(0, null), [], SystemEntropy.Instance);
            stranger.TryConnect(to, [new IPEndPoint(IPAddress.Loopback, 1)], default, now);
            stranger.TryTransmit(buffer, out HandshakeTransmit transmit);
            all[i] = buffer[..transmit.Length];
        }

        return all;
    }

    private static async Task<List<double>> ConnectAsync(Party a, Party b, int count)
    {
        List<double> times = [];
        for (int i = 0; i < count; i++)
        {
            long began = Stopwatch.GetTimestamp();
            (IMeshConnection ours, IMeshConnection theirs) = await ConnectOnceAsync(a, b);
            await using IMeshStream stream = await ours.OpenStreamAsync(StreamPriority.Control, CancellationToken.None);
            await stream.WriteAsync(new byte[1], CancellationToken.None);
            await using IMeshStream answer = (await theirs.AcceptStreamAsync(CancellationToken.None))!;
            await answer.ReadAsync(new byte[1], CancellationToken.None);
            await answer.WriteAsync(new byte[1], CancellationToken.None);
            await stream.ReadAsync(new byte[1], CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            await ours.CloseAsync(0, "measured");
            await theirs.Closed;
        }

        times.Sort();
        return times;
    }

    private static async Task<(IMeshConnection Ours, IMeshConnection Theirs)> ConnectOnceAsync(Party a, Party b)
    {
        IMeshConnection ours = await a.Endpoint.ConnectAsync(b.Key, b.Endpoint.LocalAddresses, CancellationToken.None);
        return (ours, (await b.Endpoint.AcceptAsync(CancellationToken.None))!);
    }

    private sealed record Party(DevicePublicKey Key, MeshEndpoint Endpoint) : IAsyncDisposable
    {
        public static Party Open(DevicePublicKey? admits = null)
        {
            DeviceIdentity identity = DeviceIdentity.Create(SystemEntropy.Instance);
            return new Party(identity.PublicKey, MeshEndpoint.Open(
                identity,
                new Guests(admits),
                new InitiationStamps(0, null),
                new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)], SocketBufferBytes = 1 << 20 },
                SystemEntropy.Instance,
                TimeProvider.System));
        }

        public ValueTask DisposeAsync() => Endpoint.DisposeAsync();
    }
}
