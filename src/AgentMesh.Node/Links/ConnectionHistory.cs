using System.Text.Json;
using System.Text.Json.Serialization;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Links;

/// <summary>
/// When this device was connected with others, by which paths, and why that ended: a line of JSON for each opening, change of path and end, in two files of which the older one goes when the newer one is
/// full. A record for people: what a failing disk takes is missing. Thread-safe.
/// </summary>
internal sealed class ConnectionHistory : IDisposable
{
    public const string FileName = "connections.jsonl";
    public const string OlderFileName = "connections.older.jsonl";

    /// <summary>Of each of the two files.</summary>
    public const int FileBytesMax = 1024 * 1024;

    private const int TextMax = 200;

    private readonly Lock _gate = new();
    private readonly string _file;
    private readonly string _older;
    private readonly long _life;
    private readonly ConnectionHub _hub;
    private readonly TimeProvider _time;
    private readonly Dictionary<IMeshConnection, long> _open = [];
    private long _last;

    /// <param name="life">Of this run of the node: connections that an earlier one left open have ended with it.</param>
    public ConnectionHistory(string file, string older, long life, ConnectionHub hub, TimeProvider time)
    {
        _file = file;
        _older = older;
        _life = life;
        _hub = hub;
        _time = time;
        hub.Connected += OnConnected;
        hub.Disconnected += OnDisconnected;
    }

    /// <summary>Newest first.</summary>
    /// <param name="counts">Which devices are asked for.</param>
    public IReadOnlyList<PastConnection> Read(Func<DeviceId, bool> counts, int most)
    {
        string[] lines;
        lock (_gate)
        {
            lines = [.. Lines(_older), .. Lines(_file)];
        }

        var all = new Dictionary<(long Life, long Number), PastConnection>();
        foreach (string line in lines)
        {
            if (TryRead(line) is not { } entry || !DeviceId.TryParse(entry.Device, out DeviceId device))
            {
                continue;
            }

            DateTimeOffset at = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(entry.At, 0, 253402300799999));
            (long, long) key = (entry.Life, entry.Number);
            PastConnection known = all.GetValueOrDefault(key) ?? new PastConnection(device, at, entry.IsInitiator, [], null, null, entry.Life == _life);
            all[key] = entry.Why is { } why ? known with { ClosedAt = at, Why = why, IsOpen = false } : known with { Paths = [.. known.Paths, entry.Path ?? "?"] };
        }

        return [.. all.Values.Where(each => counts(each.Device)).Reverse().Take(most)];
    }

    public void Dispose()
    {
        _hub.Connected -= OnConnected;
        _hub.Disconnected -= OnDisconnected;
    }

    private void OnConnected(IMeshConnection connection)
    {
        lock (_gate)
        {
            _open[connection] = ++_last;
            Append(connection, _last, connection.Path.Description, null);
        }

        if (connection is MeshConnection direct)
        {
            direct.PathChanged += OnPathChanged;
        }
    }

    private void OnPathChanged(MeshConnection connection)
    {
        string path = connection.Path.Description;
        lock (_gate)
        {
            if (_open.TryGetValue(connection, out long number))
            {
                Append(connection, number, path, null);
            }
        }
    }

    private void OnDisconnected(IMeshConnection connection, ConnectionEnd end)
    {
        lock (_gate)
        {
            if (_open.Remove(connection, out long number))
            {
                Append(connection, number, null, $"{(end.ByRemote ? "the other device" : "this device")}: {(end.Reason.Length > 0 ? end.Reason : $"code {end.Code}")}");
            }
        }
    }

    private void Append(IMeshConnection connection, long number, string? path, string? why)
    {
        var entry = new HistoryEntry(_time.GetUtcNow().ToUnixTimeMilliseconds(), _life, number, connection.RemoteId.ToString(), connection.IsInitiator, path, why is { Length: > TextMax } ? why[..TextMax] : why);
        try
        {
            if (new FileInfo(_file) is { Exists: true, Length: > FileBytesMax })
            {
                File.Move(_file, _older, overwrite: true);
            }

            File.AppendAllText(_file, JsonSerializer.Serialize(entry, HistoryJson.Default.HistoryEntry) + "\n");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // See the summary.
        }
    }

    private static string[] Lines(string file)
    {
        try
        {
            return new FileInfo(file) is { Exists: true, Length: < 2L * FileBytesMax } ? File.ReadAllLines(file) : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static HistoryEntry? TryRead(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, HistoryJson.Default.HistoryEntry);
        }
        catch (JsonException)
        {
            return null; // cut off by a crash
        }
    }
}

/// <param name="Paths">The kinds of path in their order, the present or last one last.</param>
/// <param name="ClosedAt">Null while it is open, and where the node ended without saying so.</param>
internal sealed record PastConnection(DeviceId Device, DateTimeOffset OpenedAt, bool IsInitiator, IReadOnlyList<string> Paths, DateTimeOffset? ClosedAt, string? Why, bool IsOpen);

/// <summary>A line of the file. One with <paramref name="Why"/> is an end, another one an opening or a change of path.</summary>
internal sealed record HistoryEntry(long At, long Life, long Number, string Device, bool IsInitiator, string? Path, string? Why);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HistoryEntry))]
internal sealed partial class HistoryJson : JsonSerializerContext;
