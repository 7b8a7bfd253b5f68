using System.Diagnostics;
using System.Globalization;

namespace AgentMesh.Cli.Demo.Lab;

/// <summary>
/// An internet of the demo's or a test's own, 203.0.113.0/24, made of network namespaces: a bridge, hosts on it, and homes behind boxes. Gone when it is disposed of.
/// <code>
/// home "a" (192.168.1.2) -- lan [box a] wan 203.0.113.1 --+
/// home "b" (192.168.2.2) -- lan [box b] wan 203.0.113.2 --+-- bridge -- 203.0.113.10 host "beacon"
/// </code>
/// </summary>
internal sealed class NatLab : IDisposable
{
    private static int s_labs;

    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"am{Environment.ProcessId % 100_000}x{Interlocked.Increment(ref s_labs)}");
    private readonly List<string> _namespaces = [];
    private bool _isGone;
    private int _homes;
    private int _neighbours;
    private int _plugs;
    private int _sixes;

    private readonly string _network;

    private NatLab(string network) => _network = network;

    /// <summary>The namespace of the bridge itself: both devices can be there before they go home.</summary>
    public string Internet => _prefix + "net";

    /// <returns>Null where such a thing cannot be made; <paramref name="whyNot"/> says why.</returns>
    /// <param name="network">The first three numbers of the internet's addresses. Routers tell addresses for documentation from real ones, so those that are asked for ports want others.</param>
    public static NatLab? TryBuild(out string whyNot, string network = "203.0.113")
    {
        var lab = new NatLab(network);
        whyNot = !OperatingSystem.IsLinux() ? "there are no network namespaces on this system" : First(Missing("ip", "iproute2"), Missing("nft", "nftables"));
        whyNot = whyNot.Length > 0 ? whyNot : lab.TryAdd(lab.Internet);
        if (whyNot.Length == 0)
        {
            whyNot = First(Ip($"-n {lab.Internet} link add bridge type bridge"), Ip($"-n {lab.Internet} link set bridge up"), Ip($"-n {lab.Internet} addr add {network}.254/24 dev bridge"));
        }

        if (whyNot.Length == 0 && lab.TryProbeNat() is { Length: > 0 } refused)
        {
            whyNot = $"this kernel has no NAT for namespaces: {refused}";
        }

        if (whyNot.Length == 0)
        {
            return lab;
        }

        lab.Dispose();
        return null;
    }

    /// <summary>A host that stands on the internet itself.</summary>
    /// <returns>Its namespace.</returns>
    public string Host(string name, string address)
    {
        string host = _prefix + name;
        Must(TryAdd(host));
        Plug(host, address);
        return host;
    }

    /// <summary>A home behind a box of some kind; see <see cref="NatKind"/>. Null is none: the device stands on the internet itself.</summary>
    /// <param name="carrier">A second box between the first one and the internet.</param>
    /// <returns>The namespace of the device at home.</returns>
    public string Home(string name, string? nat, string? carrier = null)
    {
        string outside = NextOutside(out int number);
        if (nat is null)
        {
            return Host(name, outside);
        }

        string box = _prefix + name + "n";
        Must(TryAdd(box));
        if (carrier is null)
        {
            Plug(box, outside);
        }
        else
        {
            string street = string.Create(CultureInfo.InvariantCulture, $"100.64.{number}");
            string far = _prefix + name + "c";
            Must(TryAdd(far));
            Plug(far, outside);
            Route(far, $"{street}.1", carrier, outside);
            Must(Ip($"link add wan netns {box} type veth peer name street netns {far}"));
            Must(Ip($"-n {far} link set street master lan up"));
            outside = $"{street}.2";
            Must(Ip($"-n {box} addr add {outside}/24 dev wan"));
            Must(Ip($"-n {box} link set wan up"));
            Must(Ip($"-n {box} route add default via {street}.1"));
        }

        Route(box, string.Create(CultureInfo.InvariantCulture, $"192.168.{number}.1"), nat, outside);
        return Settle(box, name, number, 2);
    }

    /// <summary>A running device behind a box goes to another home, with another network, box and outside address; the home that it leaves is gone.</summary>
    public void Move(string home, string nat)
    {
        string box = home + "n", outside = NextOutside(out int number);
        Must(Ip($"-n {home} link del lan"));
        Must(Ip($"netns del {box}"));
        Must(TryAdd(box));
        Plug(box, outside);
        Route(box, string.Create(CultureInfo.InvariantCulture, $"192.168.{number}.1"), nat, outside);
        Cable(box, home, number, 2);
    }

    /// <summary>The box of a home gets another outside address, as from a provider at night, and forgets every connection.</summary>
    /// <returns>The address.</returns>
    public string Renumber(string home)
    {
        string outside = NextOutside(out _);
        Readdress(home, outside);
        return outside;
    }

    /// <summary>The box of a home is another one from now on, at the same outside address, and knows of no connection that there was.</summary>
    public void Restart(string home, string outside, string nat)
    {
        Rebuild(home, nat);
        Readdress(home, outside);
    }

    /// <summary>Gives a device at home, or on the internet, an IPv6 address that the whole internet reaches.</summary>
    /// <returns>The address.</returns>
    public string GiveIpv6(string home)
    {
        // A box that is also a bridge for IPv6 would not be one; a second cable is the same to the device.
        string plug = string.Create(CultureInfo.InvariantCulture, $"v{_namespaces.Count}x{home.Length}x{++_sixes}");
        string address = string.Create(CultureInfo.InvariantCulture, $"2001:db8::{_sixes:x}");
        Must(Ip($"link add six netns {home} type veth peer name {plug} netns {Internet}"));
        Must(Ip($"-n {Internet} link set {plug} master bridge up"));
        Must(Ip($"-n {home} addr add {address}/64 dev six nodad"));
        Must(Ip($"-n {home} link set six up"));
        return address;
    }

    /// <summary>A home that has IPv6 and nothing else. Nothing is translated; in comes only what answers.</summary>
    /// <returns>The namespace of the device at home.</returns>
    public string HomeOfIpv6(string name)
    {
        string home = _prefix + name;
        Must(TryAdd(home));
        GiveIpv6(home);

        // The wall of its router, where nobody can tell the difference: at its own door.
        Must(Nft(home, NatKind.WallOfIpv6("six")));
        return home;
    }

    /// <summary>A further device in the home that was made last.</summary>
    /// <returns>Its namespace.</returns>
    public string Neighbour(string home, string name) => Settle(home + "n", name, _homes, ++_neighbours + 2);

    // The inside of a box.
    private static void Route(string box, string inside, string nat, string outside)
    {
        Must(Ip($"-n {box} link add lan type bridge"));
        Must(Ip($"-n {box} addr add {inside}/24 dev lan"));
        Must(Ip($"-n {box} link set lan up"));
        Must(Ip($"netns exec {box} sysctl -qw net.ipv4.ip_forward=1"));
        Must(Nft(box, nat.Replace(NatKind.Outside, outside, StringComparison.Ordinal)));
    }

    private string Settle(string box, string name, int network, int host)
    {
        string home = _prefix + name;
        Must(TryAdd(home));
        Cable(box, home, network, host);
        return home;
    }

    private static void Cable(string box, string home, int network, int host)
    {
        string plug = string.Create(CultureInfo.InvariantCulture, $"h{host}");
        Must(Ip($"link add {plug} netns {box} type veth peer name lan netns {home}"));
        Must(Ip($"-n {box} link set {plug} master lan up"));
        Must(Ip($"-n {home} addr add 192.168.{network}.{host}/24 dev lan"));
        Must(Ip($"-n {home} link set lan up"));
        Must(Ip($"-n {home} route add default via 192.168.{network}.1"));
    }

    private string NextOutside(out int number)
    {
        // 203.0.113.10 is where tests have their beacon.
        number = _homes = _homes == 9 ? 11 : _homes + 1;
        return string.Create(CultureInfo.InvariantCulture, $"{_network}.{number}");
    }

    // A kernel that masquerades forgets the connections of an address that goes.
    private static void Readdress(string home, string outside)
    {
        Must(Ip($"-n {home}n -4 addr flush dev wan"));
        Must(Ip($"-n {home}n addr add {outside}/24 dev wan"));
    }

    /// <summary>From now on the box of a home lets nothing through to or from one address of the internet; null lets everything through again.</summary>
    public void Block(string home, string? address) => Swallow(home, address is null ? [] : [$"ip saddr {address}", $"ip daddr {address}"]);

    /// <summary>From now on the box of a home drops what is like one of these, in nftables' words, and nothing else.</summary>
    public void Swallow(string home, params string[] packets)
    {
        string box = home + "n";
        Nft(box, "table ip block { }\ndelete table ip block\n");
        if (packets.Length > 0)
        {
            Must(Nft(box, $"table ip block {{\n chain wall {{ type filter hook forward priority -10;\n{string.Concat(packets.Select(each => $"  {each} drop\n"))} }}\n}}\n"));
        }
    }

    /// <summary>The box of a home is another one from now on; what it remembers of connections stays.</summary>
    public void Rebuild(string home, string nat)
    {
        Must(Nft(home + "n", "delete table ip box\n"));
        Must(Nft(home + "n", nat));
    }

    public void Dispose()
    {
        lock (_namespaces)
        {
            _isGone = true;
            _namespaces.ForEach(each => Ip($"netns del {each}"));
            _namespaces.Clear();
        }
    }

    private string TryAdd(string name)
    {
        lock (_namespaces)
        {
            // A demo that was broken off may still be building.
            if (_isGone)
            {
                return "it is gone";
            }

            string said = Ip($"netns add {name}");
            if (said.Length == 0)
            {
                _namespaces.Add(name);
                said = Ip($"-n {name} link set lo up");
            }

            return said;
        }
    }

    private string TryProbeNat()
    {
        string said = Nft(Internet, NatKind.FullCone().Replace("table ip box", "table ip probe", StringComparison.Ordinal));
        Nft(Internet, "delete table ip probe\n");
        return said;
    }

    private void Plug(string host, string address)
    {
        string plug = string.Create(CultureInfo.InvariantCulture, $"p{++_plugs}");
        Must(Ip($"link add wan netns {host} type veth peer name {plug} netns {Internet}"));
        Must(Ip($"-n {Internet} link set {plug} master bridge up"));
        Must(Ip($"-n {host} addr add {address}/24 dev wan"));
        Must(Ip($"-n {host} link set wan up"));
    }

    private static string Nft(string host, string rules)
    {
        var start = new ProcessStartInfo("ip", ["netns", "exec", host, "nft", "-f", "-"]) { RedirectStandardInput = true, RedirectStandardError = true, UseShellExecute = false };
        using Process process = Process.Start(start)!;
        process.StandardInput.Write(rules);
        process.StandardInput.Close();
        string said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? "" : said.Trim();
    }

    private static string First(params string[] said) => said.FirstOrDefault(each => each.Length > 0) ?? "";

    private static void Must(string said)
    {
        if (said.Length > 0)
        {
            throw new InvalidOperationException($"the network with NATs cannot be made: {said}");
        }
    }

    // Both tell their version to everybody.
    private static string Missing(string program, string package) => Start(program, ["-V"]) is null ? $"{program} (Debian package {package}) is not installed" : "";

    private static string Ip(string words) => Start("ip", words.Split(' ')) ?? "ip (Debian package iproute2) is not installed";

    /// <returns>What it said where it did not end well, and nothing where it did; null where there is no such program.</returns>
    private static string? Start(string program, string[] words)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? "" : said.Trim() is { Length: > 0 } text ? text : string.Create(CultureInfo.InvariantCulture, $"{program} ended with {process.ExitCode}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
