using System.Diagnostics;
using System.Globalization;
using System.Net;
using AgentMesh.Protocol.Packets;
using AgentMesh.Transport;

namespace Benchmarks;

/// <summary>One stream and a small echo over the mesh transport, beside TLS 1.3 over TCP in the same run, on loopback and between namespaces.</summary>
internal static class TransportBenchmark
{
    private const int EchoBytes = 64;
    private const int NetworkDatagramBytes = 1232;
    private const int Echoes = 20_000;
    private const int EchoesBesideBulk = 2_000;
    private const string Peer = "TLS 1.3 SslStream";
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(4);

    public static async Task RunAsync(Report report)
    {
        await Measure(report, Wire.Loopback);
        await EchoBesideBulk(report);
        foreach (bool offloads in new[] { true, false })
        {
            using Wire? wire = Wire.TryLay(offloads, out string whyNot);
            if (wire is null)
            {
                report.Note($"veth {(offloads ? "with" : "without")} offloads: skipped, {whyNot}");
                continue;
            }

            await Measure(report, wire);
        }
    }

    private static async Task Measure(Report report, Wire wire)
    {
        report.Part($"transport, {wire.Title}, one process (both ends share the cores)");
        await using TlsPeer tls = await TlsPeer.ConnectAsync(wire);
        Flow theirs = await Goodput((data, cancel) => tls.Client.WriteAsync(data, cancel), (buffer, cancel) => tls.Server.ReadAsync(buffer, cancel));
        ((string Version, double Gigabits)? udx, string? why) = NodePeers.Udx(wire, (int)Duration.TotalSeconds);
        if (udx is null)
        {
            report.Note($"UDX: skipped, {why}");
        }

        bool isLoopback = ReferenceEquals(wire, Wire.Loopback);
        foreach (int? limit in isLoopback ? [null, NetworkDatagramBytes] : new int?[] { null })
        {
            await using var mesh = await MeshPair.ConnectAsync(wire, limit);
            Flow ours = await Goodput((data, cancel) => mesh.Bulk.WriteAsync(data, cancel), (buffer, cancel) => mesh.BulkRemote.ReadAsync(buffer, cancel));
            string bytes = string.Create(CultureInfo.InvariantCulture, $"{mesh.Connection.Path.MaxPayloadBytes + PacketLayout.Overhead:N0}");
            string loss = string.Create(CultureInfo.InvariantCulture, $"{100 * (mesh.Connection.Path.LossRatio ?? 0):0.00} % lost");
            string size = limit is null ? "the size was searched for" : "the size is set, TLS keeps 64 KiB segments";
            report.Line($"one stream, goodput, datagrams of {bytes} bytes", ours.Gigabits, theirs.Gigabits, "Gb/s", Peer, includes: $"encrypted, application bytes only; {size}; {loss}");
            report.Line("processor time of 1 GB, both ends", ours.ProcessorSeconds, theirs.ProcessorSeconds, "s", Peer, lowerIsBetter: true);
            if (udx is { } other)
            {
                report.Line("the same goodput", ours.Gigabits, other.Gigabits, "Gb/s", $"udx-native {other.Version}", includes: "UDX does not encrypt, and has a process for each end");
            }
        }

        await using var echoing = await MeshPair.ConnectAsync(wire);
        (double p50, double p99) = await Echo(
            (data, cancel) => echoing.Small.WriteAsync(data, cancel), (buffer, cancel) => echoing.Small.ReadAsync(buffer, cancel), (buffer, cancel) => echoing.SmallRemote.ReadAsync(buffer, cancel), (data, cancel) => echoing.SmallRemote.WriteAsync(data, cancel));
        await using TlsPeer fresh = await TlsPeer.ConnectAsync(wire);
        (double tls50, double tls99) = await Echo(
            (data, cancel) => fresh.Client.WriteAsync(data, cancel), (buffer, cancel) => fresh.Client.ReadAsync(buffer, cancel), (buffer, cancel) => fresh.Server.ReadAsync(buffer, cancel), (data, cancel) => fresh.Server.WriteAsync(data, cancel));
        report.Line("echo of 64 bytes, p50", p50, tls50, "us", Peer, lowerIsBetter: true);
        report.Line("echo of 64 bytes, p99", p99, tls99, "us", Peer, lowerIsBetter: true);
    }

    /// <summary>What a control message waits for while a bulk stream of the same connection takes all it can.</summary>
    private static async Task EchoBesideBulk(Report report)
    {
        await using var mesh = await MeshPair.ConnectAsync(Wire.Loopback);
        using var stop = new CancellationTokenSource();
        byte[] data = new byte[64 * 1024], buffer = new byte[256 * 1024];
        long received = 0;
        Task writing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await mesh.Bulk.WriteAsync(data, CancellationToken.None);
            }

            await mesh.Bulk.CompleteWritesAsync();
        });
        Task reading = Task.Run(async () =>
        {
            for (int count = await mesh.BulkRemote.ReadAsync(buffer, CancellationToken.None); count > 0; count = await mesh.BulkRemote.ReadAsync(buffer, CancellationToken.None))
            {
                Interlocked.Add(ref received, count);
            }
        });
        await Task.Delay(Duration / 4);
        long before = Interlocked.Read(ref received);
        var watch = Stopwatch.StartNew();
        (double p50, double p99) = await Echo(
            (message, cancel) => mesh.Small.WriteAsync(message, cancel), (answer, cancel) => mesh.Small.ReadAsync(answer, cancel), (answer, cancel) => mesh.SmallRemote.ReadAsync(answer, cancel), (message, cancel) => mesh.SmallRemote.WriteAsync(message, cancel), EchoesBesideBulk);
        double gigabits = (Interlocked.Read(ref received) - before) * 8 / watch.Elapsed.TotalSeconds / 1e9;
        await stop.CancelAsync();
        await Task.WhenAll(writing, reading);
        string beside = string.Create(CultureInfo.InvariantCulture, $"beside {gigabits:0.0} Gb/s of bulk on the same connection");
        report.Line("echo of 64 bytes beside bulk, p50", p50, null, "us", includes: beside);
        report.Line("echo of 64 bytes beside bulk, p99", p99, null, "us", includes: beside);
    }

    private static async Task<Flow> Goodput(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> write, Func<Memory<byte>, CancellationToken, ValueTask<int>> read)
    {
        using var stop = new CancellationTokenSource();
        byte[] data = new byte[64 * 1024], buffer = new byte[256 * 1024];
        Task writing = Task.Run(async () =>
        {
            try
            {
                while (!stop.IsCancellationRequested)
                {
                    await write(data, stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // The time is up.
            }
        });

        // Warm up, then measure.
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(1))
        {
            await read(buffer, CancellationToken.None);
        }

        long received = 0;
        watch.Restart();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        while (watch.Elapsed < Duration)
        {
            received += await read(buffer, CancellationToken.None);
        }

        double gigabytes = received / 1e9;
        var flow = new Flow(gigabytes * 8 / watch.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds / gigabytes);
        await stop.CancelAsync();
        return flow;
    }

    private static async Task<(double P50, double P99)> Echo(
        Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> write,
        Func<Memory<byte>, CancellationToken, ValueTask<int>> read,
        Func<Memory<byte>, CancellationToken, ValueTask<int>> remoteRead,
        Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> remoteWrite,
        int echoes = Echoes)
    {
        using var stop = new CancellationTokenSource();
        _ = Task.Run(async () =>
        {
            byte[] buffer = new byte[1024];
            while (!stop.IsCancellationRequested)
            {
                int count = await remoteRead(buffer, CancellationToken.None);
                if (count == 0)
                {
                    return;
                }

                await remoteWrite(buffer.AsMemory(0, count), CancellationToken.None);
            }
        });
        byte[] message = new byte[EchoBytes], answer = new byte[EchoBytes];
        var times = new List<double>(echoes);
        for (int i = 0; i < echoes + (echoes / 10); i++)
        {
            long began = Stopwatch.GetTimestamp();
            await write(message, CancellationToken.None);
            for (int got = 0; got < EchoBytes;)
            {
                got += await read(answer.AsMemory(got), CancellationToken.None);
            }

            if (i >= echoes / 10)
            {
                times.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
            }
        }

        return (Report.Percentile(times, 0.5), Report.Percentile(times, 0.99));
    }

    /// <param name="Gigabits">Of the application, in a second.</param>
    /// <param name="ProcessorSeconds">User and system, of both ends together, for 1 GB. Other work on the machine moves it less than the time that passes.</param>
    private readonly record struct Flow(double Gigabits, double ProcessorSeconds);
}
