using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Scenarios.Harness;

namespace Scenarios;

[Collection("processes")]
public sealed class DemoTests
{
    private static readonly string[] TextsSent = ["calc 1+2", "line 150", "uname", "1267650600228229401496703205376", "gpu-box", "laptop", "demo-1"];

    [Fact]
    public async Task The_demo_passes_and_a_capture_of_its_traffic_holds_none_of_the_texts()
    {
        bool captures = Shell.Has("tcpdump") && Environment.UserName == "root";
        string file = Path.Combine(Path.GetTempPath(), $"am-capture-{Environment.ProcessId}.pcap");
        using Process? capture = captures
            ? Process.Start(new ProcessStartInfo("tcpdump", ["-i", "lo", "-U", "-w", file, "-B", "16384", "udp"]) { RedirectStandardError = true, UseShellExecute = false })
            : null;
        if (capture is not null)
        {
            // It says so when it listens.
            await capture.StandardError.ReadLineAsync();
        }

        await using var home = new TestNode("demo");
        Ran demo = await home.RunAsync("demo");
        if (capture is not null)
        {
            Shell.Run("kill", "-INT", $"{capture.Id}");
            await capture.WaitForExitAsync();
        }

        string last = demo.Out.TrimEnd('\n').Split('\n')[^1];
        Match checks = Regex.Match(last, @"^demo: (\d+) checks passed$", RegexOptions.None, TimeSpan.FromSeconds(1));
        Assert.True(demo.Code == 0 && checks.Success && int.Parse(checks.Groups[1].Value) >= 12, demo.ToString());
        if (capture is not null)
        {
            byte[] packets = await File.ReadAllBytesAsync(file);
            File.Delete(file);
            Assert.True(packets.Length > 100_000, $"the capture holds only {packets.Length} bytes");
            foreach (string text in TextsSent)
            {
                Assert.True(packets.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) < 0, $"'{text}' can be read on the wire");
            }
        }
    }
}

[CollectionDefinition("processes", DisableParallelization = true)]
public sealed class ProcessesCollection;
