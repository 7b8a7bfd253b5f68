using System.Diagnostics;

namespace Scenarios.Harness;

/// <summary>avahi-daemon in a network namespace, with a message bus of its own, both from Debian and both ended with the test.</summary>
internal sealed class Avahi : IAsyncDisposable
{
    private readonly string _namespace;
    private readonly string _directory;
    private readonly List<Process> _running = [];

    private Avahi(string networkNamespace)
    {
        _namespace = networkNamespace;
        _directory = Directory.CreateTempSubdirectory("am-avahi-").FullName;
    }

    private string Bus => Path.Combine(_directory, "bus");

    public static bool IsHere(out string missing)
    {
        string[] absent = [.. ((string[])["avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon", "unshare"]).Where(program => !Shell.Has(program) && !File.Exists("/usr/sbin/" + program))];
        missing = absent.Length == 0 ? "" : $"{string.Join(", ", absent)}: not installed (Debian packages avahi-daemon, avahi-utils, dbus)";
        return absent.Length == 0;
    }

    /// <returns>Null when it does not come up.</returns>
    public static async Task<Avahi?> TryStartAsync(string networkNamespace)
    {
        var avahi = new Avahi(networkNamespace);
        File.WriteAllText(Path.Combine(avahi._directory, "bus.conf"), $"""
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <type>system</type>
              <listen>unix:path={avahi.Bus}</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow user="*"/>
                <allow own="*"/>
                <allow send_type="method_call"/>
                <allow send_type="signal"/>
                <allow send_type="method_return"/>
                <allow send_type="error"/>
                <allow receive_type="method_call"/>
                <allow receive_type="signal"/>
                <allow receive_type="method_return"/>
                <allow receive_type="error"/>
              </policy>
            </busconfig>
            """);
        File.WriteAllText(Path.Combine(avahi._directory, "avahi.conf"), """
            [server]
            host-name=avahi-test
            use-ipv4=yes
            use-ipv6=no
            enable-dbus=yes
            [publish]
            publish-workstation=no
            """);
        avahi.Start("dbus-daemon", $"--config-file={avahi._directory}/bus.conf", "--nofork", "--nopidfile");
        long start = Stopwatch.GetTimestamp();
        while (!File.Exists(avahi.Bus) && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(50);
        }

        // A /run of its own: its socket and pid file have fixed places, and another avahi may run on this machine.
        avahi.Start("unshare", "-m", "sh", "-c", $"mount -t tmpfs none /run && mkdir -p /run/avahi-daemon && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --no-proc-title -f {avahi._directory}/avahi.conf");
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60))
        {
            if (avahi._running.All(process => !process.HasExited) && await avahi.CodeOfAsync("avahi-browse", "-t", "-a") == 0)
            {
                return avahi;
            }

            await Task.Delay(200);
        }

        await avahi.DisposeAsync();
        return null;
    }

    public Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("ip", ["netns", "exec", _namespace, program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DBUS_SYSTEM_BUS_ADDRESS"] = $"unix:path={Bus}";
        start.Environment["LC_ALL"] = "C.UTF-8";
        Process process = Process.Start(start)!;
        _ = process.StandardError.ReadToEndAsync();
        if (program is not ("avahi-browse" or "sh"))
        {
            _ = process.StandardOutput.ReadToEndAsync();
            _running.Add(process);
        }

        return process;
    }

    public async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        string said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return said;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process process in Enumerable.Reverse(_running))
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }

            process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task<int> CodeOfAsync(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
