using System.Diagnostics;
using System.Net.Http.Json;

namespace Benchmarks;

/// <summary>Durable commands through two running nodes, beside ssh over an open control master.</summary>
internal static class CommandBenchmark
{
    private const int Singles = 400;
    private const int Processes = 30;
    private const int Batch = 3_000;
    private const int Connections = 48;

    public static async Task RunAsync(Report report)
    {
        report.Part("durable commands: two nodes on this machine, each a process; SQLite WAL synchronous=FULL at the home");
        await using BenchNodes nodes = await BenchNodes.StartAsync("here", "there");
        await MeasureAsync(report, nodes);
    }

    private static async Task MeasureAsync(Report report, BenchNodes nodes)
    {
        using HttpClient client = nodes.Connect("here", Connections);
        List<double> ours = [], processes = [], theirs = [];
        for (int i = 0; i < Singles + 50; i++)
        {
            long began = Stopwatch.GetTimestamp();
            await RunAsync(client, "@there calc 1+2");
            if (i >= 50)
            {
                ours.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }

        for (int i = 0; i < Processes; i++)
        {
            long began = Stopwatch.GetTimestamp();
            nodes.Cli("here", "@there", "calc", "1+2");
            processes.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        (SshPeer? ssh, string? why) = await SshPeer.StartAsync();
        using (ssh)
        {
            for (int i = 0; ssh is not null && i < 105; i++)
            {
                long began = Stopwatch.GetTimestamp();
                if (ssh.RunCommand("expr 1 + 2") != "3\n")
                {
                    throw new InvalidOperationException("ssh did not answer 3");
                }

                if (i >= 5)
                {
                    theirs.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
            }
        }

        string peer = $"ssh ({Report.FirstLineOf("ssh", "-V")})";
        double? Of(double share) => theirs.Count == 0 ? null : Report.Percentile(theirs, share);
        report.Line("@there calc 1+2, p50", Report.Percentile(ours, 0.5), Of(0.5), "ms", peer, lowerIsBetter: true, includes: "control socket open; accepted and completed each on disk");
        report.Line("@there calc 1+2, p99", Report.Percentile(ours, 0.99), Of(0.99), "ms", peer, lowerIsBetter: true);
        report.Line("agentmesh @there calc 1+2, p50", Report.Percentile(processes, 0.5), Of(0.5), "ms", peer, lowerIsBetter: true, includes: "with the start of the .NET client process");
        if (why is not null)
        {
            report.Note($"ssh was not measured: {why}");
        }

        var watch = Stopwatch.StartNew();
        int single = 0;
        while (watch.Elapsed < TimeSpan.FromSeconds(3))
        {
            await RunAsync(client, "@there echo x");
            single++;
        }

        report.Line("durable no-op jobs, one after the other", single / watch.Elapsed.TotalSeconds, null, "jobs/s", includes: "each awaited");
        await BatchAsync(client, 500);
        report.Line($"durable no-op jobs, batch of {Batch}", Batch / (await BatchAsync(client, Batch)).TotalSeconds, null, "jobs/s", includes: $"{Connections} at a time, each awaited to its end");
    }

    private static async Task<TimeSpan> BatchAsync(HttpClient client, int count)
    {
        int left = count;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await RunAsync(client, "@there echo x");
            }
        }));
        return watch.Elapsed;
    }

    private static async Task RunAsync(HttpClient client, string line)
    {
        using HttpResponseMessage answer = await client.PostAsJsonAsync("v1/commands", new { line });
        string text = await answer.Content.ReadAsStringAsync();
        if (!text.Contains("\"state\":\"completed\"", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(text);
        }
    }
}
