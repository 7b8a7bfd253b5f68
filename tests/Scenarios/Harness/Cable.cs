using System.Globalization;

namespace Scenarios.Harness;

/// <summary>Two network namespaces of the test's own with one cable between them.</summary>
internal sealed class Cable : IDisposable
{
    private static int s_cables;

    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"am{Environment.ProcessId % 100_000}c{Interlocked.Increment(ref s_cables)}");

    private Cable()
    {
    }

    public string Left => _prefix + "l";

    public string Right => _prefix + "r";

    /// <returns>Null where namespaces cannot be made; <paramref name="whyNot"/> says why.</returns>
    public static Cable? TryLay(out string whyNot)
    {
        var cable = new Cable();
        string[] steps =
        [
            $"netns add {cable.Left}",
            $"netns add {cable.Right}",
            $"link add cable netns {cable.Left} type veth peer name cable netns {cable.Right}",
            $"-n {cable.Left} addr add 10.213.0.1/24 dev cable",
            $"-n {cable.Right} addr add 10.213.0.2/24 dev cable",
            $"-n {cable.Left} link set lo up",
            $"-n {cable.Right} link set lo up",
            $"-n {cable.Left} link set cable up",
            $"-n {cable.Right} link set cable up",
        ];
        whyNot = steps.Select(Ip).FirstOrDefault(said => said.Length > 0) ?? "";
        if (whyNot.Length == 0)
        {
            return cable;
        }

        cable.Dispose();
        return null;
    }

    public void Pull() => Assert.Empty(Ip($"-n {Right} link set cable down"));

    public void Plug() => Assert.Empty(Ip($"-n {Right} link set cable up"));

    /// <summary>Packets end at so many bytes from now on, headers included.</summary>
    public void Narrow(int bytes)
    {
        NarrowLeft(bytes);
        Assert.Empty(Ip($"-n {Right} link set cable mtu {bytes}"));
    }

    /// <summary>The left end takes no longer packets, and the right end does not know.</summary>
    public void NarrowLeft(int bytes) => Assert.Empty(Ip($"-n {Left} link set cable mtu {bytes}"));

    /// <summary>The left end gets another address, and loses the one it had.</summary>
    public void MoveLeft()
    {
        Assert.Empty(Ip($"-n {Left} addr flush dev cable"));
        Assert.Empty(Ip($"-n {Left} addr add 10.213.0.77/24 dev cable"));
    }

    /// <summary>An end has these addresses from now on, of both families, and no other; not even a link-local one.</summary>
    public static void Readdress(string end, params string[] addresses)
    {
        Ip($"-n {end} link set cable addrgenmode none");
        Assert.Empty(Ip($"-n {end} addr flush dev cable"));
        foreach (string address in addresses)
        {
            Assert.Empty(Ip($"-n {end} addr add {address} dev cable{(address.Contains(':', StringComparison.Ordinal) ? " nodad" : "")}"));
        }
    }

    /// <summary>The left end gets further interfaces, two by two, each with an address: as a machine with containers and tunnels has them.</summary>
    public void CrowdLeft(int pairs)
    {
        for (int i = 1; i <= pairs; i++)
        {
            Assert.Empty(Ip($"-n {Left} link add more{i}a type veth peer name more{i}b"));
            foreach ((string name, int net) in new[] { ($"more{i}a", 2 * i), ($"more{i}b", 2 * i + 1) })
            {
                Assert.Empty(Ip($"-n {Left} addr add 10.214.{net}.1/24 dev {name}"));
                Assert.Empty(Ip($"-n {Left} link set {name} up"));
            }
        }
    }

    /// <summary>Both ends get other IPv4 addresses, or none, and lose those they had.</summary>
    public void MoveBoth(string? left, string? right)
    {
        foreach ((string end, string? address) in new[] { (Left, left), (Right, right) })
        {
            Assert.Empty(Ip($"-n {end} -4 addr flush dev cable"));
            if (address is not null)
            {
                Assert.Empty(Ip($"-n {end} addr add {address}/24 dev cable"));
            }
        }
    }

    public void Dispose()
    {
        Ip($"netns del {Left}");
        Ip($"netns del {Right}");
    }

    private static string Ip(string words) => Shell.RunBoth("ip", words.Split(' '));
}
