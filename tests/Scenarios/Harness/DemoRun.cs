using System.Diagnostics;

namespace Scenarios.Harness;

/// <summary>The demo, run once, and what went over loopback meanwhile where that may be captured.</summary>
public sealed class DemoRun : IAsyncLifetime
{
    public Ran Result { get; private set; }

    /// <summary>Null where nothing was captured; <see cref="WhyNoCapture"/> says why.</summary>
    public PacketCapture? Packets { get; private set; }

    public string? WhyNoCapture { get; private set; }

    public async Task InitializeAsync()
    {
        WhyNoCapture = !Shell.Has("tcpdump") ? "tcpdump is not installed" : Environment.UserName != "root" ? "only root may capture" : null;
        string file = Path.Combine(Path.GetTempPath(), $"am-capture-{Environment.ProcessId}.pcap");
        using Process? capture = WhyNoCapture is null
            ? Process.Start(new ProcessStartInfo("tcpdump", ["-i", "lo", "-U", "-w", file, "-B", "16384", "udp"]) { RedirectStandardError = true, UseShellExecute = false })
            : null;
        if (capture is not null)
        {
            // It says so when it listens, and why when it cannot.
            string? said = await capture.StandardError.ReadLineAsync();
            if (said?.Contains("listening", StringComparison.Ordinal) != true)
            {
                WhyNoCapture = $"tcpdump said: {said}";
            }
        }

        await using var home = new TestNode("demo");
        Result = await home.RunAsync("demo");
        if (capture is null)
        {
            return;
        }

        if (!capture.HasExited)
        {
            Shell.Signal(capture.Id, "INT");
        }

        await capture.WaitForExitAsync();
        if (WhyNoCapture is null)
        {
            Packets = new PacketCapture(file);
        }
    }

    public Task DisposeAsync()
    {
        Packets?.Delete();
        return Task.CompletedTask;
    }
}
