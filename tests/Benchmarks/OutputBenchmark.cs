using System.Diagnostics;
using System.Net.Http.Json;

namespace Benchmarks;

/// <summary>The output of one program on another device, to a reader here, and commands beside it; ssh carries the same bytes.</summary>
internal static class OutputBenchmark
{
    private const int Bytes = 200_000_000;
    private const double Megabyte = 1_000_000;

    public static async Task RunAsync(Report report)
    {
        report.Part("output of a program: shim, spool, bulk stream, store on disk at the home, reader over the control socket");
        await using BenchNodes nodes = await BenchNodes.StartAsync("here", "there");
        nodes.Cli("there", "grant", "here", "run");
        using HttpClient client = nodes.Connect("here", 4);
        await CalcAsync(client);
        var running = Stopwatch.StartNew();
        Task<TimeSpan> output = OutputAsync(client, running);
        List<double> beside = [];
        while (!output.IsCompleted)
        {
            long began = Stopwatch.GetTimestamp();
            await CalcAsync(client);
            if (!output.IsCompleted)
            {
                beside.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }

        double ours = Bytes / Megabyte / (await output).TotalSeconds;
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

        report.Line("output of a program", ours, theirs, "MB/s", $"ssh ({Report.FirstLineOf("ssh", "-V")})", includes: "start of the program; kept on disk at the home; read as JSON with base64");
        report.Line("@there calc 1+2 beside it, p50", Report.Percentile(beside, 0.5), null, "ms", lowerIsBetter: true);
        report.Line("@there calc 1+2 beside it, p99", Report.Percentile(beside, 0.99), null, "ms", lowerIsBetter: true, includes: $"{beside.Count} commands");
        if (why is not null)
        {
            report.Note($"ssh was not measured: {why}");
        }
    }

    private static async Task<TimeSpan> OutputAsync(HttpClient client, Stopwatch running)
    {
        TimeSpan began = running.Elapsed;
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/commands")
        {
            Content = JsonContent.Create(new { target = "@there", arguments = (string[])["head", "-c", $"{Bytes}", "/dev/zero"] }),
        };
        using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await answer.Content.ReadAsStreamAsync();
        byte[] buffer = new byte[1 << 20];
        long read = 0;
        for (int got; (got = await body.ReadAsync(buffer)) > 0;)
        {
            read += got;
        }

        // Base64 has four characters for three bytes, and there are names around it.
        return read > Bytes / 3 * 4 ? running.Elapsed - began : throw new InvalidOperationException($"only {read} bytes came");
    }

    private static async Task CalcAsync(HttpClient client)
    {
        using HttpResponseMessage answer = await client.PostAsJsonAsync("v1/commands", new { line = "@there calc 1+2" });
        string text = await answer.Content.ReadAsStringAsync();
        if (!text.Contains("\"state\":\"completed\"", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(text);
        }
    }
}
