using System.Net;
using System.Net.Sockets;
using AgentMesh.Beacon.Client;
using AgentMesh.Node.Control;
using AgentMesh.Protocol.Punching;
using AgentMesh.Transport;
using AgentMesh.Transport.Spare;

namespace AgentMesh.Node.Reach;

/// <summary>
/// Finds out with a beacon's observer what the NATs before this device do, once for each address that the beacon sees it at: docs/nat.md. Thread-safe.
/// </summary>
internal sealed class NatSurvey : IAsyncDisposable
{
    private const int Samples = 5;

    // Of one try of three.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Keep = TimeSpan.FromSeconds(30);

    private readonly MeshEndpoint _endpoint;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private volatile NatBehaviour _current = NatBehaviour.Unknown;
    private volatile ObserverPlace? _observer;
    private volatile bool _isSilent;
    private (IPEndPoint? Seen, ObserverPlace? Observer) _surveyed;
    private Task _running = Task.CompletedTask;

    public NatSurvey(MeshEndpoint endpoint) => _endpoint = endpoint;

    /// <summary>There is something new to say.</summary>
    public event Action? Changed;

    public NatBehaviour Current => _current;

    /// <summary>For people and programs; null while no beacon with an observer sees this device over IPv4.</summary>
    /// <param name="isOwn">Whether this device has an IP address itself.</param>
    public NatView? View(Func<IPAddress, bool> isOwn)
    {
        NatBehaviour now = _current;
        return _surveyed.Seen is { } seen
            ? new NatView(
                now switch
                {
                    { Mapping: NatMapping.Unknown } => "unknown",
                    { Mapping: NatMapping.Independent } => isOwn(seen.Address) ? "none" : "independent",
                    { IsInSteps: true } => "sequential",
                    _ => "random",
                },
                now.Filtering switch { NatFiltering.ByAddress => "by-address", NatFiltering.ByPort => "by-port", _ => "unknown" },
                now.IsInSteps ? now.PortStep : null,
                now.Hairpin,
                seen.ToString(),
                _isSilent ? new ProblemView(NatErrors.ObserverSilent, $"the beacon's observer {_observer?.Address} does not answer: what the NAT does is not known", "open that UDP port at the beacon: docs/nat.md")
                    : now.IsAtRandom ? new ProblemView(NatErrors.AtRandom, "the NAT gives out ports at random: connections to devices behind NATs like it stay relayed", "use IPv6, or forward a port and set agentmesh.announce: docs/nat.md")
                    : null)
            : null;
    }

    /// <summary>A beacon that has an observer sees this device here.</summary>
    public void Begin(IPEndPoint seen, ObserverPlace observer)
    {
        lock (_gate)
        {
            if (seen.AddressFamily != AddressFamily.InterNetwork || (seen.Equals(_surveyed.Seen) && observer == _surveyed.Observer))
            {
                return;
            }

            _surveyed = (seen, observer);
            _observer = observer;
            Task before = _running;
            _running = Task.Run(() => AfterAsync(before, seen, observer));
        }
    }

    /// <summary>The outside address of a fresh socket, now.</summary>
    /// <returns>Null when the observer does not answer.</returns>
    public async Task<IPEndPoint?> SampleAsync(CancellationToken cancellationToken)
    {
        if (_observer is not { } observer || _endpoint.Spares.TryOpen(Keep) is not { } socket)
        {
            return null;
        }

        IPEndPoint? seen = await _endpoint.Observers.AskAsync(socket, observer.Address, observer.Ticket, fromOtherPort: false, Patience, cancellationToken).ConfigureAwait(false);
        _endpoint.Spares.Release([socket]);
        return seen;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AfterAsync(Task before, IPEndPoint seen, ObserverPlace observer)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await LookAsync(seen, observer, _stop.Token).ConfigureAwait(false);
    }

    private async Task LookAsync(IPEndPoint seen, ObserverPlace observer, CancellationToken cancellationToken)
    {
        if (await AskAsync(null, observer, cancellationToken).ConfigureAwait(false) is not { } again)
        {
            _isSilent = true;
            Tell(NatBehaviour.Unknown);
            return;
        }

        _isSilent = false;
        var sockets = new List<SpareSocket>();
        try
        {
            var seenAt = new List<IPEndPoint>();
            while (sockets.Count < Samples && _endpoint.Spares.TryOpen(Keep) is { } socket)
            {
                sockets.Add(socket);
                if (await AskAsync(socket, observer, cancellationToken).ConfigureAwait(false) is { } at)
                {
                    seenAt.Add(at);
                }
            }

            bool isIndependent = again.Equals(seen);
            var found = new NatBehaviour(isIndependent ? NatMapping.Independent : NatMapping.Dependent, PortStep: isIndependent ? 0 : PortSteps.Of([.. seenAt.Select(at => at.Port)]));
            Tell(found);
            if (sockets.Count < Samples || seenAt.Count < Samples)
            {
                return;
            }

            // A socket of its own: the others have sent to no port but the observer's either, but have had its answers.
            if (_endpoint.Spares.TryOpen(Keep) is { } fresh)
            {
                sockets.Add(fresh);
                IPEndPoint? fromElsewhere = await _endpoint.Observers.AskAsync(fresh, observer.Address, observer.Ticket, fromOtherPort: true, Patience, cancellationToken).ConfigureAwait(false);
                found = found with { Filtering = fromElsewhere is null ? NatFiltering.ByPort : NatFiltering.ByAddress };
                Tell(found);
            }

            Tell(found with { Hairpin = await _endpoint.Observers.HairpinsAsync(sockets[0], seenAt[1], Patience, cancellationToken).ConfigureAwait(false) });
        }
        finally
        {
            _endpoint.Spares.Release(sockets);
        }
    }

    private Task<IPEndPoint?> AskAsync(SpareSocket? socket, ObserverPlace observer, CancellationToken cancellationToken) =>
        _endpoint.Observers.AskAsync(socket, observer.Address, observer.Ticket, fromOtherPort: false, Patience, cancellationToken);

    private void Tell(NatBehaviour found)
    {
        _current = found;
        Changed?.Invoke();
    }
}
