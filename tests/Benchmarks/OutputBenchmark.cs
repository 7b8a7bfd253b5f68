using System.Diagnostics;
using System.Net.Http.Json;

namespace Benchmarks;

/// <summary>The output of one program on another device, to a reader here, and commands beside it; ssh carries the same bytes.</summary>
internal static class OutputBenchmark
{
    private const int Bytes = 200_000_000;
    private const int Runs = 5;
    private const int Commands = 500;
    private const double Megabyte = 1_000_000;
    private const double Gigabyte = 1_000_000_000;

    /// <summary>docs/control-api.md.</summary>
    private const string Frames = "application/octet-stream";

    public static async Task RunAsync(Report report)
    {
        report.Part("output of a program: shim, spool, bulk stream, store on disk at the home, reader over the control socket");
        await using BenchNodes nodes = await BenchNodes.StartAsync("here", "there");
        nodes.Cli("there", "grant", "here", "run");
        using HttpClient client = nodes.Connect("here", 4);
        List<double> alone = [];
        for (int i = 0; i < Commands; i++)
        {
            alone.Add(await CalcAsync(client));
        }

        await OutputAsync(client, Frames);
        List<double> beside = [], seconds = [];
        for (int i = 0; i < Runs; i++)
        {
            Task<TimeSpan> output = OutputAsync(client, Frames);
            while (!output.IsCompleted)
            {
                double took = await CalcAsync(client);
                if (!output.IsCompleted)
                {
                    beside.Add(took);
                }
            }

            seconds.Add((await output).TotalSeconds);
        }

        TimeSpan before = nodes.ProcessorTime();
        double single = (await OutputAsync(client, Frames)).TotalSeconds;
        double processor = (nodes.ProcessorTime() - before).TotalSeconds / Bytes * Gigabyte;
        double asLines = (await OutputAsync(client, "*/*")).TotalSeconds;
        double ours = Bytes / Megabyte / Report.Percentile(seconds, 0.5);
        (SshPeer? ssh, string? why) = await SshPeer.StartAsync();
        double? theirs = null;
        using (ssh)
        {
            if (ssh is not null)
            {
                var watch = Stopwatch.StartNew();
                int read = ssh.RunCommand($"head -c {Bytes} /dev/zero").Length;
                theirs = read == Bytes ? Bytes / Megabyte / watch.Elapsed.TotalSeconds : throw new InvalidOperationException($"ssh gave {read} bytes");
            }
        }

        report.Line("output of a program beside commands", ours, theirs, "MB/s", $"ssh ({Report.FirstLineOf("ssh", "-V")})", includes: $"start of the program; kept on disk at the home; median of {Runs} runs, commands beside");
        report.Line("output of a program", Bytes / Megabyte / single, theirs, "MB/s", includes: "nothing beside it");
        report.Line("the same, read as JSON with base64", Bytes / Megabyte / asLines, null, "MB/s");
        report.Line("processor time of both nodes for 1 GB of output", processor, null, "s", lowerIsBetter: true);
        report.Line("@there calc 1+2 alone, p50", Report.Percentile(alone, 0.5), null, "ms", lowerIsBetter: true);
        report.Line("@there calc 1+2 alone, p99", Report.Percentile(alone, 0.99), null, "ms", lowerIsBetter: true, includes: $"{alone.Count} commands of a fresh node");
        report.Line("@there calc 1+2 beside the output, p50", Report.Percentile(beside, 0.5), null, "ms", lowerIsBetter: true);
        report.Line("@there calc 1+2 beside the output, p99", Report.Percentile(beside, 0.99), null, "ms", lowerIsBetter: true, includes: $"{beside.Count} commands");
        if (why is not null)
        {
            report.Note($"ssh was not measured: {why}");
        }
    }

    private static async Task<TimeSpan> OutputAsync(HttpClient client, string accept)
    {
        long began = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/commands")
        {
            Content = JsonContent.Create(new { target = "@there", arguments = (string[])["head", "-c", $"{Bytes}", "/dev/zero"] }),
        };
        request.Headers.Accept.ParseAdd(accept);
        using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        byte[] buffer = new byte[1 << 20];
        long read = 0;
        for (int got; (got = await body.ReadAsync(buffer)) > 0;)
        {
            read += got;
        }

        // Base64 has four characters for three bytes; and there are names around the data.
        long least = answer.Content.Headers.ContentType?.MediaType == Frames ? Bytes : Bytes / 3 * 4L;
        return read > least ? Stopwatch.GetElapsedTime(began) : throw new InvalidOperationException($"only {read} bytes came");
    }

    /// <returns>How long it took, in milliseconds.</returns>
    private static async Task<double> CalcAsync(HttpClient client)
    {
        long began = Stopwatch.GetTimestamp();
        using HttpResponseMessage answer = await client.PostAsJsonAsync("v1/commands", new { line = "@there calc 1+2" });
        string text = await answer.Content.ReadAsStringAsync();
        return text.Contains("\"state\":\"completed\"", StringComparison.Ordinal) ? Stopwatch.GetElapsedTime(began).TotalMilliseconds : throw new InvalidOperationException(text);
    }
}
