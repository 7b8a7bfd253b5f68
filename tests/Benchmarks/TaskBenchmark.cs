using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace Benchmarks;

/// <summary>Many small durable jobs on two workers, beside systems that schedule such tasks and keep nothing.</summary>
internal static class TaskBenchmark
{
    private const int Batch = 5_000;
    private const int Singles = 200;
    private const int Programs = 200;

    public static async Task RunAsync(Report report)
    {
        report.Part("many small jobs: a home and two workers, each a process on this machine; SQLite WAL synchronous=FULL at the home");
        double first, batch, processor, single, programs;
        await using (BenchNodes nodes = await BenchNodes.StartAsync("home", "one", "two"))
        {
            nodes.Cli("one", "grant", "home", "run");
            nodes.Cli("two", "grant", "home", "run");
            using HttpClient client = nodes.Connect("home", 4);
            await ArrayAsync(client, new { range = "1-500", target = "@one,two", line = "echo {}", parallel = 64 });
            object noOps = new { range = $"1-{Batch}", target = "@one,two", line = "echo {}", parallel = 64 };
            first = await ArrayAsync(client, noOps);

            // The compiler's work for a process is done once; what is measured beside is a running service too.
            await ArrayAsync(client, noOps);
            await ArrayAsync(client, noOps);
            TimeSpan before = nodes.ProcessorTime();
            batch = await ArrayAsync(client, noOps);
            processor = (nodes.ProcessorTime() - before).TotalMilliseconds / Batch;
            programs = await ArrayAsync(client, new { range = $"1-{Programs}", target = "@one,two", arguments = (string[])["true"], parallel = 2 });
            single = await SingleAsync(client);
        }

        ((string Version, double BatchSeconds, double SingleMs)? dask, string? why) = TaskPeers.Dask(Batch);
        string peer = dask is { } known ? $"Dask distributed {known.Version}, 2 processes, not durable" : "";
        report.Line($"array of {Batch} durable no-ops", Batch / batch, Batch / dask?.BatchSeconds, "jobs/s", peer, includes: "each with a start and an end on disk; nodes that ran 10,000 before");
        report.Line("the same as the first of a node's life", Batch / first, Batch / dask?.BatchSeconds, "jobs/s", peer, includes: "after 500; much of it is the just-in-time compiler");
        report.Line("processor time of the three nodes for one of them", processor, null, "ms", lowerIsBetter: true);
        report.Line("one durable job, submit to result, p50", single, dask?.SingleMs, "ms", peer, lowerIsBetter: true, includes: "on the other worker process");
        if (why is not null)
        {
            report.Note($"Dask was not measured: {why}");
        }

        (double? parallel, string? missing) = TaskPeers.Parallel(Programs);
        report.Line($"array of {Programs} programs (true), one at a time on each", Programs / programs, Programs / parallel, "jobs/s", $"GNU parallel -j2 ({Report.FirstLineOf("parallel", "--version")}), not durable", includes: "each with its own supervisor");
        if (missing is not null)
        {
            report.Note($"GNU parallel was not measured: {missing}");
        }
    }

    /// <returns>Seconds from the request to the end of the last element.</returns>
    private static async Task<double> ArrayAsync(HttpClient client, object array)
    {
        long began = Stopwatch.GetTimestamp();
        using HttpResponseMessage accepted = await client.PostAsJsonAsync("v1/arrays", array);
        JsonElement view = await accepted.Content.ReadFromJsonAsync<JsonElement>();
        string id = Uri.EscapeDataString(view.GetProperty("id").GetString()!);
        while (view.GetProperty("endedAt").ValueKind == JsonValueKind.Null)
        {
            await Task.Delay(5);
            view = await client.GetFromJsonAsync<JsonElement>($"v1/array?id={id}");
        }

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return view.GetProperty("completed").GetInt32() == view.GetProperty("count").GetInt32() ? seconds : throw new InvalidOperationException(view.GetRawText());
    }

    private static async Task<double> SingleAsync(HttpClient client)
    {
        List<double> took = [];
        for (int i = 0; i < Singles + 20; i++)
        {
            long began = Stopwatch.GetTimestamp();
            using HttpResponseMessage answer = await client.PostAsJsonAsync("v1/commands", new { line = "@one echo x" });
            string text = await answer.Content.ReadAsStringAsync();
            if (!text.Contains("\"state\":\"completed\"", StringComparison.Ordinal))
            {
                throw new InvalidOperationException(text);
            }

            if (i >= 20)
            {
                took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }

        return Report.Percentile(took, 0.5);
    }
}
