using System.Globalization;

namespace Scenarios.Harness;

/// <summary>
/// The box before a home of a <see cref="NatLab"/>, as its kernel has it: how long it keeps mappings of UDP, which ones there are, and how many packets pass between the home
/// and one address of the internet.
/// </summary>
/// <param name="home">The namespace of the device at home.</param>
internal sealed class Box(string home)
{
    private static readonly string[] Lifetimes = ["nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"];

    private readonly string _box = home + "n";

    /// <summary>From now on a mapping ends after so much silence, whether anybody has answered or not.</summary>
    /// <returns>Why the kernel does not do so; empty where it does.</returns>
    public string KeepFor(int seconds)
    {
        string[] said = [.. Lifetimes.Select(name => In("sysctl", "-qw", $"net.netfilter.{name}={seconds}")), .. Lifetimes.Select(name => In("cat", $"/proc/sys/net/netfilter/{name}"))];
        return said is ["", "", { } first, { } second] && first == second && first == seconds.ToString(CultureInfo.InvariantCulture) ? "" : string.Join("; ", said);
    }

    /// <summary>The outside ports of the home that packets from this address get in at.</summary>
    public IReadOnlyList<int> PortsTowards(string address) =>
    [
        .. In("cat", "/proc/net/nf_conntrack").Split('\n')
            .Select(line => PortOf(line, address))
            .OfType<int>(),
    ];

    /// <summary>Counts from now on what comes from the home for this address of the internet, and from there.</summary>
    public void Count(string address) => Assert.Equal("", In("nft", $$"""
        table ip count {
          counter sent { }
          counter arrived { }
          chain pass { type filter hook prerouting priority -310;
            iifname "lan" ip daddr {{address}} meta l4proto udp counter name sent
            iifname "wan" ip saddr {{address}} meta l4proto udp counter name arrived
          }
        }
        """));

    /// <summary>Packets since it was asked last.</summary>
    public (int Sent, int Arrived) Counted()
    {
        string said = In("nft", "reset counters table ip count");
        return (Of("sent"), Of("arrived"));

        int Of(string name)
        {
            // counter NAME { packets 3 bytes 400 }
            string[] words = said.Split((char[])[' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries);
            int at = Array.IndexOf(words, name);
            Assert.True(at > 0 && words.ElementAtOrDefault(at + 2) == "packets", said);
            return int.Parse(words[at + 3], CultureInfo.InvariantCulture);
        }
    }

    private string In(params string[] words) => Shell.RunBoth("ip", ["netns", "exec", _box, .. words]);

    // One line each: what the home sent first (src= dst= sport= dport=), then the same of what answers, of which dport is the outside port.
    private static int? PortOf(string entry, string address)
    {
        string[] words = entry.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] Values(string name) => [.. words.Where(word => word.StartsWith(name + "=", StringComparison.Ordinal)).Select(word => word[(name.Length + 1)..])];
        return words.Contains("udp") && Values("src") is [{ } home, { } answers] && home.StartsWith("192.168.", StringComparison.Ordinal) && answers == address && Values("dport") is [_, { } port]
            ? int.Parse(port, CultureInfo.InvariantCulture)
            : null;
    }
}
