using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Stun;
using AgentMesh.Transport.Names;

namespace AgentMesh.Transport.Stun;

/// <summary>
/// Asks STUN servers, again and again, at which address they see the socket of the endpoint: the questions go out of that socket itself, so that the answers are about its
/// mapping and no other. Thread-safe.
/// </summary>
public sealed class StunObserver : IAsyncDisposable
{
    private readonly MeshEndpoint _endpoint;
    private readonly IReadOnlyList<StunServer> _servers;
    private readonly TimeSpan _interval;
    private readonly NameLookup _names;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Poker _arrived;
    private readonly Poker _moved;
    private StunBinding?[] _asked;
    private StunObservation[] _observations;
    private Task _running = Task.CompletedTask;

    public StunObserver(MeshEndpoint endpoint, IReadOnlyList<StunServer> servers, TimeSpan interval, NameLookup names, IEntropy entropy, TimeProvider time)
    {
        _endpoint = endpoint;
        _servers = servers;
        _interval = interval;
        _names = names;
        _entropy = entropy;
        _time = time;
        _moved = new Poker(time);
        _arrived = new Poker(time);
        _asked = new StunBinding?[servers.Count];
        _observations = [.. servers.Select(server => new StunObservation(server, null, null))];
    }

    /// <summary>An address is seen that was not before, or none any more. Raised on a thread of the pool.</summary>
    public event Action? Changed;

    /// <summary>For each server, in the order of the settings.</summary>
    public IReadOnlyList<StunObservation> Observations => Volatile.Read(ref _observations);

    /// <summary>Where this device is seen, the most likely first; see <see cref="ObserverVotes"/>.</summary>
    public IReadOnlyList<IPEndPoint> Addresses => ObserverVotes.Weigh(Observations.Select(each => each.SeenAt).OfType<IPEndPoint>());

    public void Start()
    {
        _endpoint.Arrivals.StunTaker = Take;
        _endpoint.NetworkChanged += OnNetworkChanged;
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _endpoint.NetworkChanged -= OnNetworkChanged;
        _endpoint.Arrivals.StunTaker = null;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    // On the receiving thread.
    private void Take(ReadOnlySpan<byte> datagram, IPEndPoint from)
    {
        if (!StunMessage.TryRead(datagram, out StunMessage message))
        {
            return;
        }

        lock (_gate)
        {
            foreach (StunBinding? binding in _asked)
            {
                if (binding is not null && binding.Handle(message, from, _endpoint.Now.Monotonic))
                {
                    _arrived.Poke();
                    return;
                }
            }
        }
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await RoundAsync().ConfigureAwait(false);
                await _moved.WaitAsync(_interval, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task RoundAsync()
    {
        (IPEndPoint? Address, string? Problem)[] places = await Task.WhenAll(_servers.Select(ResolveAsync)).ConfigureAwait(false);
        lock (_gate)
        {
            _asked = [.. places.Select(place => place.Address is { } address ? new StunBinding(address, _entropy, _endpoint.Now.Monotonic) : null)];
        }

        while (true)
        {
            TimeSpan? next = Transmit();
            Publish(places);
            if (next is not { } at)
            {
                Remember();
                return;
            }

            await _arrived.WaitAsync(at - _endpoint.Now.Monotonic, _stop.Token).ConfigureAwait(false);
        }
    }

    // A question has a transaction id of 96 random bits, so that who answers it was there.
    private void Remember()
    {
        StunBinding?[] asked;
        lock (_gate)
        {
            asked = _asked;
        }

        for (int i = 0; i < asked.Length; i++)
        {
            if (asked[i] is { Mapped: not null } answered)
            {
                _names.Answered(_servers[i].Host, answered.Server.Address);
            }
        }
    }

    /// <returns>When to come back; null when the round is over.</returns>
    private TimeSpan? Transmit()
    {
        lock (_gate)
        {
            TimeSpan? next = null;
            foreach (StunBinding binding in _asked.OfType<StunBinding>())
            {
                if (binding.TryTransmit(_endpoint.Now.Monotonic, out ReadOnlySpan<byte> request))
                {
                    _endpoint.Send(request, binding.Server);
                }

                next = binding.NextWakeUp is { } own && (next is null || own < next) ? own : next;
            }

            return next;
        }
    }

    private void Publish((IPEndPoint? Address, string? Problem)[] places)
    {
        StunObservation[] before = _observations, now = new StunObservation[_servers.Count];
        lock (_gate)
        {
            for (int i = 0; i < now.Length; i++)
            {
                // While a question is under way the last answer stands.
                now[i] = _asked[i] switch
                {
                    null => new StunObservation(_servers[i], null, places[i].Problem),
                    { IsOver: true } over => new StunObservation(_servers[i], over.Mapped, over.Failure),
                    _ => before[i],
                };
            }
        }

        if (!now.SequenceEqual(before))
        {
            Volatile.Write(ref _observations, now);
            if (!now.Select(each => each.SeenAt).SequenceEqual(before.Select(each => each.SeenAt)))
            {
                Changed?.Invoke();
            }
        }
    }

    private Task<(IPEndPoint? Address, string? Problem)> ResolveAsync(StunServer server)
    {
        AddressFamily[] families = [.. _endpoint.LocalAddresses.Select(local => local.AddressFamily)];
        return _names.FindOneAsync(server.Host, server.Port, address => families.Contains(address.AddressFamily), _stop.Token);
    }

    private void OnNetworkChanged() => _moved.Poke();
}
