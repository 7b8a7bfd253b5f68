using System.Net;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Discovery;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Reach;

/// <summary>
/// Says to each admitted device over the DHT where this one is, every half hour and when that changes, and looks for those to which there is no link. Thread-safe.
/// </summary>
internal sealed class DhtService : IAsyncDisposable
{
    // A round of either costs a search for each device; further devices are left out.
    private const int DevicesMax = 64;

    private static readonly TimeSpan PublishEvery = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookFirst = TimeSpan.FromSeconds(10);

    // A device that starts at the same time has not said anything yet at the first look.
    private const int LookFactor = 2;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);

    private readonly DhtDiscovery _dht;
    private readonly DhtNodesFile _file;
    private readonly DeviceDirectory _directory;
    private readonly LinkService _links;
    private readonly DeviceId _self;
    private readonly Func<IReadOnlyList<IPEndPoint>> _candidates;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private volatile Published? _published;
    private long _found;

    public DhtService(DhtDiscovery dht, DhtNodesFile file, DeviceDirectory directory, LinkService links, DeviceId self, Func<IReadOnlyList<IPEndPoint>> candidates, TimeProvider time, ILogger log)
    {
        _dht = dht;
        _file = file;
        _directory = directory;
        _links = links;
        _self = self;
        _candidates = candidates;
        _time = time;
        _log = log;
    }

    public DhtView View() => _published is { } last
        ? new DhtView(_dht.Nodes, _dht.Nodes6, last.Stored, last.Devices, last.At, Interlocked.Read(ref _found), last is { Devices: > 0, Stored: 0 } ? Silent() : Refused(_dht.Refused), _dht.Refused)
        : new DhtView(_dht.Nodes, _dht.Nodes6, 0, 0, null, Interlocked.Read(ref _found), Refused(_dht.Refused), _dht.Refused);

    internal static ProblemView? Refused(long values) => values == 0 ? null : new ProblemView(
        ReachErrors.DhtValue,
        $"nodes of the DHT gave {values} {(values == 1 ? "value" : "values")} for devices of this mesh that none of them has said; nothing of them was used",
        "update devices of an older version; else somebody disturbs these places, which a beacon in agentmesh.beacons does without");

    public void Start() => _running = Task.Run(() => Task.WhenAll(PublishingAsync(), LookingAsync()));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _dht.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private KeyValuePair<DeviceId, DevicePublicKey>[] Others() => [.. _directory.Admitted.Where(device => device.Key != _self).Take(DevicesMax)];

    private async Task PublishingAsync()
    {
        string said = "";
        TimeSpan next = TimeSpan.Zero;
        long start = _time.GetTimestamp();
        while (true)
        {
            await Task.Delay(Step, _time, _stop.Token).ConfigureAwait(false);
            IPEndPoint[] addresses = [.. _candidates()];
            DevicePublicKey[] others = [.. Others().Select(other => other.Value)];
            string now = string.Join(' ', addresses.Select(address => address.ToString()).Concat(others.Select(key => key.Id.ToString())));
            if (addresses.Length == 0 || (now == said && _time.GetElapsedTime(start) < next))
            {
                continue;
            }

            int stored = 0;
            foreach (DevicePublicKey other in others)
            {
                stored += await _dht.PublishAsync(other, addresses, _stop.Token).ConfigureAwait(false) > 0 ? 1 : 0;
            }

            // What found no node at all is tried again soon.
            said = stored == others.Length ? now : "";
            next = _time.GetElapsedTime(start) + PublishEvery;
            _published = new Published(stored, others.Length, _time.GetUtcNow());
            _file.Write(_dht.Newest(DhtNodesFile.NodesMax));
            Log.DhtPublished(_log, stored, others.Length, _dht.Nodes);
            if (stored < others.Length)
            {
                await Task.Delay(LookEvery, _time, _stop.Token).ConfigureAwait(false);
            }
        }
    }

    private async Task LookingAsync()
    {
        for (TimeSpan wait = LookFirst; ; wait = wait * LookFactor < LookEvery ? wait * LookFactor : LookEvery)
        {
            await Task.Delay(wait, _time, _stop.Token).ConfigureAwait(false);
            foreach ((DeviceId device, DevicePublicKey other) in Others().Where(other => !_links.IsLinked(other.Key)))
            {
                foreach (IPEndPoint address in await _dht.FindAsync(other, _stop.Token).ConfigureAwait(false))
                {
                    Interlocked.Increment(ref _found);
                    Log.FoundByDht(_log, device.ToString(), address);
                    _links.Sightings.TakeAnnouncement(device, address);
                }
            }
        }
    }

    private ProblemView Silent() => _dht.Nodes == 0
        ? new ProblemView(ReachErrors.DhtSilent, "no node of the DHT answers", "see that UDP is let out and that agentmesh.discovery.dht.bootstrap names nodes that run")
        : new ProblemView(ReachErrors.DhtSilent, "no node of the DHT keeps where this device is", "it is tried again within five minutes; more nodes in agentmesh.discovery.dht.bootstrap may help");

    private sealed record Published(int Stored, int Devices, DateTimeOffset At);
}
