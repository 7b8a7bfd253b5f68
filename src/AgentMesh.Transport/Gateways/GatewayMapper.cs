using System.Net;
using System.Net.NetworkInformation;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Transport.Gateways;

/// <summary>
/// Keeps one UDP port of this device mapped at its default gateway, by the protocol that answers first, for as long as it lives. Thread-safe.
/// <code>
/// state     event                                                  then
/// looking   a protocol answered and mapped                         mapped
/// looking   none did                                               none; looks again after a while, or when the network changes
/// mapped    half of the lifetime is over, the gateway announced
///           itself, or a check shows that it forgot                mapped again
/// mapped    refused, or no answer until the lifetime is over       looking
/// mapped    another gateway or own address                         looking
/// any       disposed                                               the mapping is deleted
/// </code>
/// </summary>
public sealed class GatewayMapper : IAsyncDisposable
{
    private static readonly TimeSpan LookAgainMin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookAgainMax = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan RenewMin = TimeSpan.FromSeconds(1);

    /// <summary>Announcements are repeated, and anybody on the network can send one.</summary>
    private static readonly TimeSpan AnnouncementRest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan DeleteWithin = TimeSpan.FromSeconds(2);

    private readonly IRouteTable _routes;
    private readonly Func<DefaultRoute, IReadOnlyList<IGatewayProtocol>> _open;
    private readonly TimeSpan _check;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Poker _poked;
    private volatile GatewayStatus _status = GatewayStatus.Looking;
    private volatile IPAddress? _announced;
    private GatewayAnnouncements? _announcements;
    private Task _running = Task.CompletedTask;

    /// <param name="port">Of this device.</param>
    /// <param name="nonce">12 secret bytes that stay the same over restarts (RFC 6887, section 11.2).</param>
    public GatewayMapper(int port, GatewaySettings settings, byte[] nonce, IRouteTable routes, IEntropy entropy, TimeProvider time)
        : this(route => Protocols(route, port, settings, nonce, entropy, time), settings.Check, routes, entropy, time)
    {
    }

    internal GatewayMapper(Func<DefaultRoute, IReadOnlyList<IGatewayProtocol>> open, TimeSpan check, IRouteTable routes, IEntropy entropy, TimeProvider time)
    {
        _open = open;
        _check = check;
        _routes = routes;
        _entropy = entropy;
        _time = time;
        _poked = new Poker(time);
    }

    /// <summary>There is a mapping, another one, or none any more; or it is known now why there is none.</summary>
    public event Action<GatewayStatus>? Changed;

    public GatewayStatus Status => _status;

    /// <summary>How much of a mapping's lifetime is left; null where it never ends.</summary>
    public TimeSpan? Left(GatewayMapping mapping) => mapping.IsForEver ? null : mapping.MadeAt + mapping.Lifetime - Now is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    public void Start()
    {
        NetworkChange.NetworkAddressChanged += OnNetworkChanged;
        _announcements = new GatewayAnnouncements(Announced);
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        NetworkChange.NetworkAddressChanged -= OnNetworkChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        if (_announcements is not null)
        {
            await _announcements.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>For tests: without sockets that listen to the network.</summary>
    internal void StartAlone() => _running = Task.Run(RunAsync);

    internal void Announced(IPAddress from)
    {
        _announced = from;
        Poke();
    }

    internal void Poke() => _poked.Poke();

    private TimeSpan Now => _time.GetElapsedTime(0);

    private static IReadOnlyList<IGatewayProtocol> Protocols(DefaultRoute route, int port, GatewaySettings settings, byte[] nonce, IEntropy entropy, TimeProvider time)
    {
        var all = new List<IGatewayProtocol>();
        foreach (string name in settings.Protocols)
        {
            all.Add(name switch
            {
                GatewaySettings.Pcp => new PcpProtocol(route, port, settings.Lifetime, nonce, time),
                GatewaySettings.NatPmp => new NatPmpProtocol(route, port, settings.Lifetime, time),
                _ => new UpnpProtocol(route, port, settings.Lifetime, entropy, time),
            });
        }

        return all;
    }

    private void OnNetworkChanged(object? sender, EventArgs e) => Poke();

    private async Task RunAsync()
    {
        TimeSpan wait = LookAgainMin;
        try
        {
            while (true)
            {
                if (_routes.Find() is not { } route)
                {
                    Tell(new GatewayStatus(null, null, IsLooking: false, []));
                    await _poked.WaitAsync(LookAgainMax, _stop.Token).ConfigureAwait(false);
                    continue;
                }

                bool wasMapped = await ServeAsync(route).ConfigureAwait(false);
                wait = wasMapped ? LookAgainMin : wait;
                if (route != _routes.Find())
                {
                    wait = LookAgainMin;
                    continue;
                }

                await _poked.WaitAsync(wait, _stop.Token).ConfigureAwait(false);
                wait = wait * 2 < LookAgainMax ? wait * 2 : LookAgainMax;
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    /// <returns>True when there was a mapping for some time.</returns>
    private async Task<bool> ServeAsync(DefaultRoute route)
    {
        IReadOnlyList<IGatewayProtocol> protocols = _open(route);
        try
        {
            Tell(new GatewayStatus(route.Gateway, null, IsLooking: true, []));
            (IGatewayProtocol? protocol, GatewayMapping? mapping, IReadOnlyList<GatewayFailure> failures) = await GatewayRace.RunAsync(protocols, _stop.Token).ConfigureAwait(false);
            if (protocol is null)
            {
                Tell(new GatewayStatus(route.Gateway, null, IsLooking: false, failures));
                return false;
            }

            await KeepAsync(route, protocol, Dated(mapping!), failures).ConfigureAwait(false);
            return true;
        }
        finally
        {
            foreach (IGatewayProtocol protocol in protocols)
            {
                protocol.Dispose();
            }
        }
    }

    private async Task KeepAsync(DefaultRoute route, IGatewayProtocol protocol, GatewayMapping mapping, IReadOnlyList<GatewayFailure> failures)
    {
        TimeSpan renewAt = RenewalOf(mapping), announcedAt = TimeSpan.MinValue;
        try
        {
            while (true)
            {
                Tell(new GatewayStatus(route.Gateway, mapping, IsLooking: false, failures));
                TimeSpan untilRenewal = renewAt - Now;
                await _poked.WaitAsync(untilRenewal < _check ? untilRenewal : _check, _stop.Token).ConfigureAwait(false);
                bool isAnnounced = Interlocked.Exchange(ref _announced, null) is { } from && from.Equals(route.Gateway) && (announcedAt == TimeSpan.MinValue || Now - announcedAt > AnnouncementRest);
                announcedAt = isAnnounced ? Now : announcedAt;
                if (_routes.Find() is { } now && now != route)
                {
                    return;
                }

                if (!isAnnounced && Now < renewAt && await protocol.CheckAsync(mapping, _stop.Token).ConfigureAwait(false) != MappingState.Lost)
                {
                    continue;
                }

                MapResult result = await protocol.MapAsync(mapping, _stop.Token).ConfigureAwait(false);
                if (result.Mapping is { } renewed)
                {
                    mapping = Dated(renewed);
                    renewAt = RenewalOf(mapping);
                    continue;
                }

                TimeSpan left = Left(mapping) ?? LookAgainMax;
                if (result.Failure.WasAnswered || left == TimeSpan.Zero)
                {
                    Tell(new GatewayStatus(route.Gateway, null, IsLooking: false, [result.Failure]));
                    return;
                }

                renewAt = Now + (left / 2 > RenewMin ? left / 2 : RenewMin);
            }
        }
        finally
        {
            if (_stop.IsCancellationRequested)
            {
                await DeleteAsync(protocol, mapping).ConfigureAwait(false);
            }
        }
    }

    // The network may be gone at this moment: then the mapping ends with its lifetime.
    private async Task DeleteAsync(IGatewayProtocol protocol, GatewayMapping mapping)
    {
        using var late = new CancellationTokenSource(DeleteWithin, _time);
        try
        {
            await protocol.DeleteAsync(mapping, late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // No answer.
        }
    }

    private GatewayMapping Dated(GatewayMapping mapping) => mapping with { MadeAt = Now };

    // RFC 6887, section 11.2.1: at a random time from 1/2 to 5/8 of the lifetime.
    private TimeSpan RenewalOf(GatewayMapping mapping)
    {
        if (mapping.IsForEver)
        {
            return TimeSpan.MaxValue;
        }

        Span<byte> chance = stackalloc byte[1];
        _entropy.Fill(chance);
        TimeSpan after = mapping.Lifetime * (0.5 + (0.125 * chance[0] / byte.MaxValue));
        return mapping.MadeAt + (after > RenewMin ? after : RenewMin);
    }

    private void Tell(GatewayStatus status)
    {
        if (_status == status)
        {
            return;
        }

        _status = status;
        Changed?.Invoke(status);
    }
}
