using System.Net;
using AgentMesh.Transport.Names;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Remembered;

/// <summary>Where the hosts of the settings and of invitations answered: beacons, STUN and TURN servers, proxies. Kept in <c>names.json</c>. Thread-safe.</summary>
internal sealed class NameMemory : INameMemory
{
    /// <summary>One more takes the place of that which answered longest ago and which nothing needs.</summary>
    public const int HostsMax = 64;

    // That an address still answers is not written to disk each time.
    private static readonly TimeSpan SaveEvery = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, RememberedName> _names;
    private readonly NamesFile _file;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    public NameMemory(string file, TimeProvider time, ILogger log)
    {
        (_file, _time, _log) = (new NamesFile(file), time, log);
        _names = _file.Read(HostsMax, time.GetUtcNow()).DistinctBy(name => name.Host, StringComparer.OrdinalIgnoreCase).ToDictionary(name => name.Host, StringComparer.OrdinalIgnoreCase);
    }

    public CacheFile File => _file.Cache;

    /// <summary>In the order of the alphabet.</summary>
    public IReadOnlyList<RememberedName> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _names.Values.OrderBy(name => name.Host, StringComparer.OrdinalIgnoreCase)];
            }
        }
    }

    public IReadOnlyList<IPAddress> Of(string host)
    {
        lock (_gate)
        {
            if (!_names.TryGetValue(host, out RememberedName? name))
            {
                return [];
            }

            _names[host] = name with { IsWanted = true };
            return [.. name.Addresses.Select(known => known.Address)];
        }
    }

    public void Answered(string host, IPAddress address)
    {
        if (!NamesFile.IsName(host))
        {
            return;
        }

        DateTimeOffset now = _time.GetUtcNow();
        lock (_gate)
        {
            RememberedName before = _names.GetValueOrDefault(host) ?? new RememberedName(host, []);
            if (before.Addresses.Count == 0 && !TryMakeRoom())
            {
                return;
            }

            bool isOther = before.Addresses.Count == 0 || !before.Addresses[0].Address.Equals(address);
            bool isSaved = isOther || now - before.SavedAt > SaveEvery;
            _names[host] = before.Answered(address, now) with { SavedAt = isSaved ? now : before.SavedAt };
            if (isSaved)
            {
                _file.Write(_names.Values.Where(name => name.IsWanted || now - name.At <= Lasting.Longest));
            }
        }
    }

    public void Asked(string host, bool isResolved)
    {
        RememberedName? name;
        lock (_gate)
        {
            if (!_names.TryGetValue(host, out name) || name.IsInUse == !isResolved)
            {
                return;
            }

            _names[host] = name with { IsInUse = !isResolved };
        }

        if (isResolved)
        {
            Log.NameResolved(_log, host);
        }
        else
        {
            Log.NameRemembered(_log, host, string.Join(", ", name.Addresses.Select(known => known.Address.ToString())));
        }
    }

    // Under the lock.
    private bool TryMakeRoom()
    {
        if (_names.Count < HostsMax)
        {
            return true;
        }

        return _names.Values.Where(name => !name.IsWanted).MinBy(name => name.At) is { } oldest && _names.Remove(oldest.Host);
    }
}
