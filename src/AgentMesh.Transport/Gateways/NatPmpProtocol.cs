using System.Net;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Transport.Gateways;

/// <summary>NAT-PMP (RFC 6886).</summary>
internal sealed class NatPmpProtocol(DefaultRoute route, int port, TimeSpan lifetime, TimeProvider time) : IGatewayProtocol
{
    private readonly GatewayConversation _conversation = new(new IPEndPoint(route.Gateway, NatPmp.ServerPort), time);
    private readonly EpochWatch _epochs = new();
    private readonly long _start = time.GetTimestamp();

    public string Name => GatewaySettings.NatPmp;

    public async ValueTask<GatewayFailure?> ProbeAsync(CancellationToken cancellationToken)
    {
        Answer<NatPmpAddress> answer = await AskAddressAsync(cancellationToken).ConfigureAwait(false);
        return answer.Value switch
        {
            null => new GatewayFailure(Name, answer.Why, WasAnswered: false),
            { Result: not 0 } refused => new GatewayFailure(Name, NatPmp.ResultText(refused.Result), WasAnswered: true),
            { } found => Unusable(found.External),
        };
    }

    public async ValueTask<MapResult> MapAsync(GatewayMapping? previous, CancellationToken cancellationToken)
    {
        // The address first: a mapping answer does not tell it.
        Answer<NatPmpAddress> where = await AskAddressAsync(cancellationToken).ConfigureAwait(false);
        if (where.Value is not { Result: 0 } address)
        {
            return MapResult.Failed(Name, where.Value is { } refused ? NatPmp.ResultText(refused.Result) : where.Why, where.Value is not null);
        }

        if (Unusable(address.External) is { } unusable)
        {
            return new MapResult(null, unusable);
        }

        byte[] request = NatPmp.MapRequest((ushort)port, (ushort)(previous?.External.Port ?? port), (uint)lifetime.TotalSeconds);
        Answer<NatPmpMapping> answer = await _conversation.AskAsync<NatPmpMapping>(request, RetransmissionSchedule.NatPmp, ReadMapping, cancellationToken).ConfigureAwait(false);
        if (answer.Value is not { } mapping)
        {
            return MapResult.Failed(Name, answer.Why, wasAnswered: false);
        }

        _epochs.TellsLoss(mapping.Epoch, Now);
        return mapping switch
        {
            { Result: not 0 } => MapResult.Failed(Name, NatPmp.ResultText(mapping.Result), wasAnswered: true),
            { ExternalPort: 0 } or { Lifetime: 0 } => MapResult.Failed(Name, "it granted nothing", wasAnswered: true),
            _ => MapResult.Of(new GatewayMapping(Name, route.Gateway, new IPEndPoint(address.External, mapping.ExternalPort), port, TimeSpan.FromSeconds(mapping.Lifetime), Now)),
        };
    }

    public async ValueTask<MappingState> CheckAsync(GatewayMapping mapping, CancellationToken cancellationToken)
    {
        Answer<NatPmpAddress> answer = await _conversation.AskAsync<NatPmpAddress>(NatPmp.AddressRequest(), RetransmissionSchedule.NatPmp, NatPmp.TryReadAddress, cancellationToken).ConfigureAwait(false);
        return answer.Value switch
        {
            null => MappingState.Unknown,
            { } found when _epochs.TellsLoss(found.Epoch, Now) => MappingState.Lost,
            { Result: 0 } found when !found.External.Equals(mapping.External.Address) => MappingState.Lost,
            { Result: 0 } => MappingState.Alive,
            _ => MappingState.Unknown,
        };
    }

    public async ValueTask DeleteAsync(GatewayMapping mapping, CancellationToken cancellationToken) =>
        await _conversation.AskAsync<NatPmpMapping>(NatPmp.MapRequest((ushort)mapping.InternalPort, 0, 0), RetransmissionSchedule.NatPmp, ReadMapping, cancellationToken).ConfigureAwait(false);

    public void Dispose() => _conversation.Dispose();

    private TimeSpan Now => time.GetElapsedTime(_start);

    private async ValueTask<Answer<NatPmpAddress>> AskAddressAsync(CancellationToken cancellationToken)
    {
        Answer<NatPmpAddress> answer = await _conversation.AskAsync<NatPmpAddress>(NatPmp.AddressRequest(), RetransmissionSchedule.NatPmp, NatPmp.TryReadAddress, cancellationToken).ConfigureAwait(false);
        if (answer.Value is { } found)
        {
            _epochs.TellsLoss(found.Epoch, Now);
        }

        return answer;
    }

    private GatewayFailure? Unusable(IPAddress external) => GatewayAddresses.IsUsable(external) ? null : new GatewayFailure(Name, "it has no external address itself", WasAnswered: true);

    // Requests for other ports of this device go over other sockets, so only a refusal may lack the port.
    private bool ReadMapping(ReadOnlySpan<byte> datagram, out NatPmpMapping mapping) => NatPmp.TryReadMapping(datagram, out mapping) && (mapping.InternalPort == port || mapping.Result != 0);
}
