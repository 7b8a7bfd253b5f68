using System.Net;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Transport.Gateways;

/// <summary>PCP (RFC 6887).</summary>
/// <param name="nonce">Stays the same over restarts of the node: otherwise a mapping that a killed one left could not be taken over.</param>
internal sealed class PcpProtocol(DefaultRoute route, int port, TimeSpan lifetime, byte[] nonce, TimeProvider time) : IGatewayProtocol
{
    private readonly GatewayConversation _conversation = new(new IPEndPoint(route.Gateway, Pcp.ServerPort), time);
    private readonly EpochWatch _epochs = new();
    private readonly long _start = time.GetTimestamp();

    public string Name => GatewaySettings.Pcp;

    public async ValueTask<GatewayFailure?> ProbeAsync(CancellationToken cancellationToken)
    {
        Answer<PcpMapping> answer = await AskAsync(Pcp.AnnounceRequest(route.Local), ReadAnnounce, cancellationToken).ConfigureAwait(false);
        return answer.Value switch
        {
            null => new GatewayFailure(Name, answer.Why, WasAnswered: false),
            { Header.Result: not 0 } refused => Refused(refused.Header.Result),
            _ => null,
        };
    }

    public async ValueTask<MapResult> MapAsync(GatewayMapping? previous, CancellationToken cancellationToken)
    {
        byte[] request = Pcp.MapRequest(route.Local, nonce, (ushort)port, previous?.External ?? new IPEndPoint(IPAddress.Any, port), (uint)lifetime.TotalSeconds);
        Answer<PcpMapping> answer = await AskAsync(request, ReadMapping, cancellationToken).ConfigureAwait(false);
        if (answer.Value is not { } mapping)
        {
            return MapResult.Failed(Name, answer.Why, wasAnswered: false);
        }

        if (mapping.Header.Result != 0)
        {
            return new MapResult(null, Refused(mapping.Header.Result));
        }

        _epochs.TellsLoss(mapping.Header.Epoch, Now);
        return mapping.External.Port == 0 || mapping.Header.Lifetime == 0 || !GatewayAddresses.IsUsable(mapping.External.Address)
            ? MapResult.Failed(Name, "it granted nothing", wasAnswered: true)
            : MapResult.Of(new GatewayMapping(Name, route.Gateway, mapping.External, port, TimeSpan.FromSeconds(mapping.Header.Lifetime), Now));
    }

    public async ValueTask<MappingState> CheckAsync(GatewayMapping mapping, CancellationToken cancellationToken)
    {
        Answer<PcpMapping> answer = await AskAsync(Pcp.AnnounceRequest(route.Local), ReadAnnounce, cancellationToken).ConfigureAwait(false);
        return answer.Value is not { } found ? MappingState.Unknown : _epochs.TellsLoss(found.Header.Epoch, Now) ? MappingState.Lost : MappingState.Alive;
    }

    public async ValueTask DeleteAsync(GatewayMapping mapping, CancellationToken cancellationToken) =>
        await AskAsync(Pcp.MapRequest(route.Local, nonce, (ushort)mapping.InternalPort, null, 0), ReadMapping, cancellationToken).ConfigureAwait(false);

    public void Dispose() => _conversation.Dispose();

    private TimeSpan Now => time.GetElapsedTime(_start);

    private ValueTask<Answer<PcpMapping>> AskAsync(byte[] request, TryReadAnswer<PcpMapping> read, CancellationToken cancellationToken) =>
        _conversation.AskAsync(request, RetransmissionSchedule.Pcp, read, cancellationToken);

    private GatewayFailure Refused(int result) => new(Name, Pcp.ResultText(result), WasAnswered: true);

    private static bool ReadAnnounce(ReadOnlySpan<byte> datagram, out PcpMapping answer)
    {
        bool isAnswer = Pcp.TryReadAnnounce(datagram, out PcpHeader header);
        answer = new PcpMapping(header, 0, new IPEndPoint(IPAddress.Any, 0));
        return isAnswer || IsOld(datagram, out answer);
    }

    private bool ReadMapping(ReadOnlySpan<byte> datagram, out PcpMapping mapping) =>
        (Pcp.TryReadMapping(datagram, nonce, out mapping) && mapping.InternalPort == port) || IsOld(datagram, out mapping);

    private static bool IsOld(ReadOnlySpan<byte> datagram, out PcpMapping answer)
    {
        const int unsupportedVersion = 1;
        answer = new PcpMapping(new PcpHeader(unsupportedVersion, 0, 0), 0, new IPEndPoint(IPAddress.Any, 0));
        return Pcp.IsUnsupportedVersion(datagram);
    }
}
