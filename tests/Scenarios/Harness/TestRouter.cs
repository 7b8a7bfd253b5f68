using System.Diagnostics;
using System.Globalization;

namespace Scenarios.Harness;

/// <summary>A home router that opens ports when it is asked: Debian's miniupnpd with nftables on the box of a home, restarted as a router is, with an empty table.</summary>
internal sealed class TestRouter : IAsyncDisposable
{
    private readonly string _box;
    private readonly string _config = Path.GetTempFileName();
    private readonly string _pidFile = Path.GetTempFileName();
    private Process? _process;

    /// <param name="home">The namespace of a device at home; the box has <see cref="Rules"/>.</param>
    /// <param name="network">The first three numbers of the home's addresses.</param>
    public TestRouter(string home, string network)
    {
        _box = home + "n";
        File.WriteAllText(_config, $"""
            ext_ifname=wan
            listening_ip=lan
            enable_natpmp=yes
            enable_upnp=yes
            secure_mode=yes
            system_uptime=no
            notify_interval=60
            min_lifetime=2
            uuid=5f0a3a52-5c0e-4c1c-9a53-1d0b52a9c001
            allow 1024-65535 {network}.0/24 1024-65535
            deny 0-65535 0.0.0.0/0 0-65535

            """);
    }

    /// <summary>Why there is none; empty where there is.</summary>
    public static string WhyNot => Shell.Has("miniupnpd") ? "" : "miniupnpd (Debian package miniupnpd-nftables) is not installed";

    /// <summary>A NAT that lets nothing in but what is mapped.</summary>
    public static string Rules => """
        table inet filter {
          chain miniupnpd { }
          chain prerouting_miniupnpd { }
          chain postrouting_miniupnpd { }
          chain forward { type filter hook forward priority 0; policy drop;
            iifname "lan" accept
            ct state established,related accept
            jump miniupnpd
          }
          chain door { type filter hook input priority 0;
            iifname "wan" ct state new drop
          }
          chain prerouting { type nat hook prerouting priority -100;
            jump prerouting_miniupnpd
          }
          chain postrouting { type nat hook postrouting priority 100;
            jump postrouting_miniupnpd
            oifname "wan" masquerade
          }
        }

        """;

    /// <summary>The outside ports that it passes on.</summary>
    public string Mapped => Shell.Run("ip", "netns", "exec", _box, "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd");

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("ip", ["netns", "exec", _box, "miniupnpd", "-d", "-f", _config, "-P", _pidFile])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        _process = Process.Start(start)!;
        _ = _process.StandardOutput.ReadToEndAsync();
        var said = new List<string>();
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (line.Contains("Listening for NAT-PMP/PCP", StringComparison.Ordinal))
            {
                _ = _process.StandardError.ReadToEndAsync();
                return;
            }
        }

        Assert.Fail($"miniupnpd did not start: {string.Join('\n', said)}");
    }

    /// <summary>As when it loses its power: nobody is told, and nothing is kept.</summary>
    public async Task LosePowerAsync()
    {
        _process!.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
        foreach (string chain in new[] { "miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd" })
        {
            Shell.Run("ip", "netns", "exec", _box, "nft", "flush", "chain", "inet", "filter", chain);
        }
    }

    public bool Maps(int port) => Mapped.Contains(string.Create(CultureInfo.InvariantCulture, $"dport {port} dnat"), StringComparison.Ordinal);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await LosePowerAsync();
        }

        File.Delete(_config);
        File.Delete(_pidFile);
    }
}
