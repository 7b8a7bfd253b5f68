using System.Net;
using System.Net.Sockets;
using AgentMesh.Beacon.Client;
using AgentMesh.Protocol.Punching;
using AgentMesh.Transport;
using AgentMesh.Transport.Spare;

namespace AgentMesh.Node.Reach;

/// <summary>
/// Finds out with a beacon's observer after how much silence the NAT before this device takes ports back (<see cref="PortLifeSearch"/>), once for each IP address that the beacon sees it at, and tells the endpoint. Connections
/// themselves do not find it out, since devices of a mesh always have something to say to each other. Thread-safe.
/// </summary>
/// <param name="isOwn">This device itself has an IP address: no NAT is before it there.</param>
internal sealed class PortLifeSurvey(MeshEndpoint endpoint, Func<IPAddress, bool> isOwn, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Networks that it was found out in.</summary>
    public const int RememberedMax = 16;

    // A node that has just started, or has come to another network, has other things to do.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    // An observer that could not say is asked again, or another one, when a beacon takes this device in after so long.
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(10);

    // An answer that comes after the next question was put still counts.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<Found> _found = [];
    private CancellationTokenSource? _leave;
    private Found? _current;
    private volatile ObserverPlace? _observer;
    private Task _running = Task.CompletedTask;

    /// <summary>In the present network, as far as it is known.</summary>
    public PortLife Current
    {
        get
        {
            lock (_gate)
            {
                return _current?.Life ?? PortLife.Unknown;
            }
        }
    }

    /// <summary>A beacon that has an observer sees this device here.</summary>
    public void Begin(IPEndPoint seen, ObserverPlace observer)
    {
        lock (_gate)
        {
            if (seen.AddressFamily != AddressFamily.InterNetwork || isOwn(seen.Address) || _stop.IsCancellationRequested)
            {
                return;
            }

            if (_observer is { } before && before.Address.Equals(observer.Address))
            {
                _observer = observer; // with a new ticket; the ports that are open towards it stay
            }

            if (_current is { } current && current.Outside.Equals(seen.Address) && (current.IsBeingFound || current.Life != PortLife.Unknown || time.GetElapsedTime(current.BegunAt) < AgainAfter))
            {
                return;
            }

            _leave?.Cancel();
            _leave = null;
            Found now = _current = Take(seen.Address);
            endpoint.PortSilence = now.Life.SilenceMax;
            if (now.IsBeingFound)
            {
                _observer = observer;
                CancellationTokenSource leave = _leave = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                Task previous = _running;
                _running = Task.Run(() => RunAsync(previous, now, observer.Address, leave));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task running;
        lock (_gate)
        {
            _stop.Cancel();
            running = _running;
        }

        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    /// <summary>What is known of a network, or a beginning. Under the lock.</summary>
    private Found Take(IPAddress outside)
    {
        if (_found.Find(known => known.Outside.Equals(outside)) is { } known && known.Life != PortLife.Unknown)
        {
            return known;
        }

        _found.RemoveAll(each => each.Outside.Equals(outside));
        if (_found.Count == RememberedMax)
        {
            _found.RemoveAt(0);
        }

        var begun = new Found(outside, time.GetTimestamp()) { IsBeingFound = true };
        _found.Add(begun);
        return begun;
    }

    private async Task RunAsync(Task previous, Found found, IPEndPoint observer, CancellationTokenSource leave)
    {
        var search = new PortSearch(endpoint, observer, () => _observer!.Ticket, Late, time);
        try
        {
            await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(Rest, time, leave.Token).ConfigureAwait(false);
            await search.RunAsync(life => Learned(found, life), leave.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // This device stops, or is somewhere else: begun anew when it is here again.
        }
        finally
        {
            lock (_gate)
            {
                found.IsBeingFound = false;
                if (leave.IsCancellationRequested)
                {
                    _found.Remove(found);
                }

                _leave = ReferenceEquals(_leave, leave) ? null : _leave;
                leave.Dispose();
            }
        }
    }

    private void Learned(Found found, PortLife life)
    {
        lock (_gate)
        {
            found.Life = life;
            if (ReferenceEquals(found, _current))
            {
                endpoint.PortSilence = life.SilenceMax;
            }
        }
    }

    private sealed class Found(IPAddress outside, long begunAt)
    {
        /// <summary>The address of the network.</summary>
        public IPAddress Outside => outside;

        public long BegunAt => begunAt;

        public PortLife Life { get; set; } = PortLife.Unknown;

        public bool IsBeingFound { get; set; }
    }
}
