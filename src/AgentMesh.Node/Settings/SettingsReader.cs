using System.Globalization;
using System.Net;
using System.Text;
using AgentMesh.Beacon.Client;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Mesh.Turns;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace AgentMesh.Node.Settings;

/// <summary>Reads one value each, checks it, and names file and path when it is wrong.</summary>
internal sealed class SettingsReader(Config config, string origin)
{
    // Of a name in the DNS.
    private const int HostCharsMax = 255;

    /// <summary>Letters, digits, '-', '_' and '.', at most 63: what can stand after '@' in a command line.</summary>
    public static string CleanName(string name)
    {
        var clean = new StringBuilder();
        foreach (char c in name)
        {
            clean.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-');
        }

        string text = clean.ToString().Trim('-', '.');
        return text.Length == 0 ? "device" : text[..Math.Min(text.Length, 63)];
    }

    public string DeviceName(string name) => CleanName(name) == name
        ? name
        : throw Wrong("device-name", name, "letters, digits, '-', '_' and '.', at most 63 of them");

    public string Text(string path) => config.GetString("agentmesh." + path, "");

    public string OneOf(string path, params string[] values)
    {
        string value = Text(path).ToLowerInvariant();
        return values.Contains(value, StringComparer.Ordinal) ? value : throw Wrong(path, Text(path), "one of " + string.Join(", ", values));
    }

    public bool Switch(string path) => OneOf(path, "on", "off", "true", "false", "yes", "no") is "on" or "true" or "yes";

    public int Integer(string path, int min, int max) =>
        int.TryParse(Text(path), NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max
            ? value
            : throw Wrong(path, Text(path), $"a whole number from {min} to {max}");

    public double Share(string path) =>
        double.TryParse(Text(path), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= 1
            ? value
            : throw Wrong(path, Text(path), "a number from 0 to 1");

    public TimeSpan Time(string path) => Limit(path) ?? throw Wrong(path, Text(path), "a duration above zero, for example 500ms or 10s");

    public TimeSpan? Limit(string path)
    {
        const string expected = "a duration, for example 500ms, 10s or 5m";
        TimeSpan value = Checked(path, expected, () => config.GetTimeSpan("agentmesh." + path, null));

        // Zero and 'infinite' say that there is no limit; less than nothing is a slip of the hand.
        if (Text(path).TrimStart().StartsWith('-'))
        {
            throw Wrong(path, Text(path), expected);
        }

        return value <= TimeSpan.Zero ? null : value;
    }

    public TimeSpan Time(string path, TimeSpan min, TimeSpan max, string range) =>
        Time(path) is var value && value >= min && value <= max ? value : throw Wrong(path, Text(path), $"a duration from {range}");

    public IReadOnlyList<string> Grants(string path)
    {
        IReadOnlyList<string> grants = List(path);
        return grants.FirstOrDefault(grant => Grant.Read(grant) is null) is { } unknown
            ? throw Wrong(path, unknown, $"some of {Grant.Shapes}")
            : grants;
    }

    public long Size(string path) =>
        Checked(path, "a size, for example 64KiB or 10GiB", () => config.GetByteSize("agentmesh." + path)) is { } size and >= 0
            ? size
            : throw Wrong(path, Text(path), "a size, for example 64KiB or 10GiB");

    public IReadOnlyList<string> List(string path) =>
        Checked(path, "a list of texts, for example [\"a\", \"b\"]", () => (IReadOnlyList<string>)[.. config.GetStringList("agentmesh." + path)]);

    public IReadOnlyList<string> Labels(string path)
    {
        string[] labels = [.. List(path).Distinct(StringComparer.OrdinalIgnoreCase)];
        return Array.Find(labels, label => !DeviceLabel.IsValid(label)) is { } bad ? throw Wrong(path, bad, DeviceLabel.Rule)
            : labels.Length > DeviceLabel.PerDeviceMax ? throw Wrong(path, $"{labels.Length} labels", $"{DeviceLabel.PerDeviceMax} labels at most")
            : labels;
    }

    /// <summary>Amounts by name, in thousandths; 0 for what the device shall not have though it finds it.</summary>
    public IReadOnlyDictionary<string, long> Resources(string path)
    {
        var amounts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach ((string name, string text) in Map(path))
        {
            long amount = 0;
            if (!ResourceAmounts.IsName(name) || amounts.Count == ResourceAmounts.NamesMax - 2 || (text.Trim() != "0" && !ResourceAmounts.TryParseAmount(text.Trim(), out amount)))
            {
                throw Wrong($"{path}.{name}", text, $"a name of lower-case letters, digits, '-', '_' and '.' with an amount such as 2, 0.5 or 24G, at most {ResourceAmounts.NamesMax - 2} of them,");
            }

            amounts[name] = amount;
        }

        return amounts;
    }

    public IPAddress Address(string path, string text) =>
        IPAddress.TryParse(text, out IPAddress? address) ? address : throw Wrong(path, text, "an IPv4 or IPv6 address");

    public BeaconAddress Beacon(string path, string text) => BeaconAddress.TryParse(text, out BeaconAddress? address)
        ? address
        : throw Wrong(path, text, "HOST:PORT#KEY, as 'agentmesh beacon' prints it,");

    public string Proxy(string path) => Text(path) is var text && (text.Length == 0 || BeaconProxy.IsValid(text))
        ? text
        : throw Wrong(path, "(not shown: it may hold a password)", "none, or http://[USER:PASSWORD@]HOST:PORT,");

    public DnsEndPoint Place(string path, string text) =>
        text.LastIndexOf(':') is > 0 and int colon && int.TryParse(text.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int port) && port is > 0 and <= ushort.MaxValue
            ? new DnsEndPoint(text[..colon], port)
            : throw Wrong(path, text, "HOST:PORT");

    public IReadOnlyDictionary<string, string> Map(string path) =>
        Items(path).ToDictionary(item => item.Key, item => item.Value.GetString(), StringComparer.Ordinal);

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Lists(string path) =>
        Items(path).ToDictionary(item => item.Key, item => (IReadOnlyList<string>)[.. item.Value.GetStringList()], StringComparer.Ordinal);

    public IReadOnlyList<HostPort> HostPorts(string path)
    {
        HoconValue? value = config.GetValue("agentmesh." + path);
        if (value is null || value.IsEmpty)
        {
            return [];
        }

        return Checked<IReadOnlyList<HostPort>>(path, "a list such as [{ host = \"192.0.2.7\", port = 14590 }]", () =>
            [.. value.GetArray().Select(item => PlaceOf(Part(item, "host").GetString(), Part(item, "port").GetInt()))]);
    }

    /// <summary>Of each object of a list, its keys and their texts.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Objects(string path, string expected)
    {
        HoconValue? value = config.GetValue("agentmesh." + path);
        return value is null || value.IsEmpty
            ? []
            : Checked<IReadOnlyList<IReadOnlyDictionary<string, string>>>(path, expected, () =>
                [.. value.GetArray().Select(item => item.GetObject().Items.ToDictionary(each => each.Key, each => each.Value.GetString(), StringComparer.Ordinal))]);
    }

    public PoolSettings? Pool()
    {
        string name = Text("pool.name");
        return name.Length == 0
            ? null
            : new PoolSettings(
                HomeId.IsPoolName(name) ? name : throw Wrong("pool.name", name, $"1 to {HomeId.PoolNameLengthMax} lower-case letters, digits or '-', the first a letter"),
                Text("pool.connection-file"),
                Text("pool.connection-env"),
                Time("pool.lease") is var lease && lease >= TimeSpan.FromSeconds(1) ? lease : throw Wrong("pool.lease", Text("pool.lease"), "at least 1s"),
                Time("pool.append-timeout"),
                Integer("pool.readers", 1, 64),
                Time("pool.output-retained"),
                Size("pool.artifacts-max"),
                Size("pool.artifact-size-max"));
    }

    /// <returns>True for the pool.</returns>
    public bool JobHome()
    {
        string home = Text("jobs.home");
        return home.Length > 0 && (home == Text("pool.name") ? true : throw Wrong("jobs.home", home, "the name of the pool of this device (agentmesh.pool.name), or nothing for this device"));
    }

    /// <summary>Of each named object in a group, its keys and their texts.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Groups(string path) => Items(path).ToDictionary(
        item => item.Key,
        item => item.Value.IsObject()
            ? (IReadOnlyDictionary<string, string>)item.Value.GetObject().Items.ToDictionary(each => each.Key, each => each.Value.GetString(), StringComparer.Ordinal)
            : throw Wrong($"{path}.{item.Key}", item.Value.GetString(), "a group of settings in braces"),
        StringComparer.Ordinal);

    private static HostPort PlaceOf(string host, int port) =>
        host is { Length: > 0 and <= HostCharsMax } && port is > 0 and <= ushort.MaxValue ? new HostPort(host, port) : throw new FormatException("no host with a port");

    private static HoconValue Part(HoconValue item, string name) =>
        item.IsObject() && item.GetChildObject(name) is { } part ? part : throw new FormatException($"'{name}' is missing");

    private IEnumerable<KeyValuePair<string, HoconValue>> Items(string path)
    {
        HoconValue? value = config.GetValue("agentmesh." + path);
        return value is null || value.IsEmpty || !value.IsObject() ? [] : value.GetObject().Items;
    }

    private T Checked<T>(string path, string expected, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is not MeshException and not OutOfMemoryException)
        {
            throw Wrong(path, Text(path), expected);
        }
    }

    public MeshException Wrong(string path, string value, string expected) =>
        new(NodeErrors.ConfigurationValue, $"{origin}: agentmesh.{path} = \"{value}\" is not valid: {expected} is expected", "correct the value and start again");
}
