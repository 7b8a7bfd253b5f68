using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Soak.Nodes;

/// <summary>A network namespace for each node, and one between them that routes, where packets of a pair can be dropped in either direction.</summary>
internal sealed class HubNetwork : IDisposable
{
    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"soak{Environment.ProcessId}");
    private readonly int _nodes;
    private readonly Dictionary<(int From, int To), int> _cuts = [];

    private HubNetwork(int nodes) => _nodes = nodes;

    /// <returns>Null where namespaces cannot be made; <paramref name="whyNot"/> says why.</returns>
    public static HubNetwork? TryLay(int nodes, out string whyNot)
    {
        var network = new HubNetwork(nodes);
        whyNot = network.Steps().Select(Ip).FirstOrDefault(said => said.Length > 0) ?? "";
        if (whyNot.Length == 0)
        {
            return network;
        }

        network.Dispose();
        return null;
    }

    public string NamespaceOf(int node) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}n{node}");

    public static string AddressOf(int node) => string.Create(CultureInfo.InvariantCulture, $"10.77.{node}.2");

    /// <summary>Drops what is sent in this direction, until it is mended as often as it was cut.</summary>
    public void Cut(int from, int to)
    {
        lock (_cuts)
        {
            int before = _cuts.GetValueOrDefault((from, to));
            _cuts[(from, to)] = before + 1;
            if (before == 0)
            {
                Rule("add", from, to);
            }
        }
    }

    public void Mend(int from, int to)
    {
        lock (_cuts)
        {
            if (--_cuts[(from, to)] == 0)
            {
                Rule("del", from, to);
            }
        }
    }

    public void Dispose()
    {
        for (int node = 0; node < _nodes; node++)
        {
            Ip($"netns del {NamespaceOf(node)}");
        }

        Ip($"netns del {_prefix}h");
    }

    private IEnumerable<string> Steps()
    {
        string hub = _prefix + "h";
        yield return $"netns add {hub}";
        yield return $"netns exec {hub} sysctl -qw net.ipv4.ip_forward=1";
        for (int node = 0; node < _nodes; node++)
        {
            string own = NamespaceOf(node);
            yield return $"netns add {own}";
            yield return $"-n {hub} link add v{node} type veth peer name eth netns {own}";
            yield return $"-n {hub} addr add 10.77.{node}.1/24 dev v{node}";
            yield return $"-n {hub} link set v{node} up";
            yield return $"-n {own} addr add {AddressOf(node)}/24 dev eth";
            yield return $"-n {own} link set eth up";
            yield return $"-n {own} link set lo up";
            yield return $"-n {own} route add default via 10.77.{node}.1";
        }
    }

    private void Rule(string verb, int from, int to)
    {
        string said = Ip($"-n {_prefix}h rule {verb} from {AddressOf(from)} to {AddressOf(to)} blackhole");
        if (said.Length > 0)
        {
            throw new InvalidOperationException(said);
        }
    }

    /// <returns>Empty when it did what it was told.</returns>
    private static string Ip(string words)
    {
        try
        {
            var start = new ProcessStartInfo("ip", words.Split(' ')) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? "" : $"ip {words}: {said.Trim()}";
        }
        catch (Win32Exception error)
        {
            return error.Message;
        }
    }
}
