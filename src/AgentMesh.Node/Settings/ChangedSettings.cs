using System.Text;
using AgentMesh.Errors;
using AgentMesh.Files;
using Akka.Configuration;

namespace AgentMesh.Node.Settings;

/// <summary>
/// Settings that were changed while the node ran, and that hold after its restart: a file in the data directory, which counts over the configuration file and below the environment. Each change is
/// checked as the files are at start; what is refused changes nothing. Thread-safe.
/// </summary>
internal sealed class ChangedSettings(SettingsSource source, string dataDirectory, Action<ConnectionsSettings> apply)
{
    public const string FileName = "changed.conf";

    private const string Head = """
        # Written by 'agentmesh config set', which the node need not be stopped for. What stands here counts over agentmesh.conf;
        # 'agentmesh config unset KEY' takes a line out.

        """;

    private static readonly string[] Keys = [ConnectionsReader.Incoming, ConnectionsReader.AutoConnect, ConnectionsReader.Up, ConnectionsReader.Down];

    private readonly Lock _gate = new();
    private readonly string _file = Path.Combine(dataDirectory, FileName);

    /// <summary>What can be changed while the node runs, for people.</summary>
    public static string Changeable => string.Join(", ", Keys) + $" and {ConnectionsReader.AutoConnectDevices}.NAME";

    /// <summary>The settings in force, as text.</summary>
    public string Text() => SettingsLoader.Merge(source, out _, out _).GetConfig("agentmesh").ToString(includeFallback: true);

    /// <param name="key">With or without <c>agentmesh.</c> before it.</param>
    /// <param name="value">Null: as the configuration file or the default says.</param>
    /// <returns>The key as it is kept, and what holds now.</returns>
    /// <exception cref="MeshException">AM0202, AM0203: no such setting, or a bad value. AM0232: it takes a restart.</exception>
    public (string Key, string Value) Set(string key, string? value)
    {
        string path = key.StartsWith("agentmesh.", StringComparison.Ordinal) ? key["agentmesh.".Length..] : key;
        const string devices = ConnectionsReader.AutoConnectDevices + ".";
        bool isDevice = path.StartsWith(devices, StringComparison.Ordinal) && path.Length > devices.Length;
        if (!isDevice && !Keys.Contains(path, StringComparer.Ordinal))
        {
            throw IsKnown(path)
                ? new MeshException(NodeErrors.SettingNeedsRestart, $"agentmesh.{path} is read when the node starts, and not changed while it runs", $"write it into agentmesh.conf in the data directory and start the node again; while it runs: {Changeable}")
                : new MeshException(NodeErrors.ConfigurationUnknownKey, $"there is no setting agentmesh.{path}", $"'agentmesh config' prints them all; while the node runs: {Changeable}");
        }

        lock (_gate)
        {
            string? before = File.Exists(_file) ? File.ReadAllText(_file) : null;
            SortedDictionary<string, string> lines = Read(before);
            if (value is null)
            {
                lines.Remove(path);
            }
            else
            {
                lines[path] = value;
            }

            Write(lines.Count == 0 ? null : TextOf(lines, devices));
            try
            {
                ConnectionsSettings now = SettingsLoader.Load(source).Connections;
                apply(now);
                return (path, ValueOf(now, path, isDevice ? path[devices.Length..] : null));
            }
            catch (MeshException problem)
            {
                Write(before);
                throw new MeshException(problem.Code, problem.Message, problem.Code == NodeErrors.ConfigurationValue ? "nothing was changed; 'agentmesh config set --help' tells what can be set" : problem.NextStep, problem);
            }
        }
    }

    private static bool IsKnown(string path)
    {
        Akka.Configuration.Hocon.HoconValue? value = SettingsLoader.Reference().GetValue("agentmesh." + path);
        return value is { IsEmpty: false } && !value.IsObject();
    }

    private static string ValueOf(ConnectionsSettings now, string path, string? device) => path switch
    {
        ConnectionsReader.Incoming => now.Incoming.ToString().ToLowerInvariant(),
        ConnectionsReader.AutoConnect => now.AutoConnect ? "on" : "off",
        ConnectionsReader.Up => now.BytesPerSecondUp.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ConnectionsReader.Down => now.BytesPerSecondDown.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => now.AutoConnectDevices.TryGetValue(device!, out bool on) ? on ? "on" : "off" : "default",
    };

    // A damaged file has kept the node from starting: here it is as it was written.
    private static SortedDictionary<string, string> Read(string? text)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (text is null)
        {
            return lines;
        }

        Config config = ConfigurationFactory.ParseString(text);
        foreach (string key in Keys.Where(key => config.HasPath("agentmesh." + key)))
        {
            lines[key] = config.GetString("agentmesh." + key);
        }

        foreach ((string name, string value) in new SettingsReader(config, FileName).Map(ConnectionsReader.AutoConnectDevices))
        {
            lines[$"{ConnectionsReader.AutoConnectDevices}.{name}"] = value;
        }

        return lines;
    }

    private static string TextOf(SortedDictionary<string, string> lines, string devices)
    {
        var text = new StringBuilder(Head);
        foreach ((string path, string value) in lines)
        {
            string key = path.StartsWith(devices, StringComparison.Ordinal) ? devices + SettingsLoader.Quote(path[devices.Length..]) : path;
            text.Append("agentmesh.").Append(key).Append(" = ").Append(SettingsLoader.Quote(value)).Append('\n');
        }

        return text.ToString();
    }

    private void Write(string? text)
    {
        try
        {
            if (text is null)
            {
                File.Delete(_file);
                return;
            }

            WholeFile.Write(_file, text);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(NodeErrors.DataDirectoryUnusable, $"{_file} cannot be written: {error.Message}", "'agentmesh doctor' looks at the data directory", error);
        }
    }
}
