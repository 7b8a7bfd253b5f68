using System.Globalization;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Gateways;
using AgentMesh.Protocol.Gateways.Upnp;

namespace AgentMesh.Transport.Gateways;

/// <summary>UPnP: WANIPConnection of an Internet Gateway Device, version 1 or 2.</summary>
internal sealed class UpnpProtocol(DefaultRoute route, int port, TimeSpan lifetime, IEntropy entropy, TimeProvider time) : IGatewayProtocol
{
    private const int PortsTriedMax = 4;
    private const int LowestPort = 1024;

    // WANIPConnection:2, section 2.3.26.
    private const uint LeaseMax = 604_800;
    private const string Description = "AgentMesh";

    private readonly UpnpHttp _http = new();
    private readonly long _start = time.GetTimestamp();
    private IgdService? _service;

    public string Name => GatewaySettings.Upnp;

    public async ValueTask<GatewayFailure?> ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await UpnpSearch.FindAsync(route, time, cancellationToken).ConfigureAwait(false) is not { } location)
            {
                return new GatewayFailure(Name, "no answer", WasAnswered: false);
            }

            (byte[]? document, string why) = await _http.GetAsync(location, cancellationToken).ConfigureAwait(false);
            if (document is null)
            {
                return new GatewayFailure(Name, $"its description cannot be read: {why}", WasAnswered: true);
            }

            if (!IgdDescription.TryRead(document, location, route.Gateway, out IgdService? service))
            {
                return new GatewayFailure(Name, "its description names no service of its own that maps ports", WasAnswered: true);
            }

            _service = service;
            return (await ExternalAsync(cancellationToken).ConfigureAwait(false)).Failure;
        }
        catch (SocketException error)
        {
            return new GatewayFailure(Name, error.Message, WasAnswered: false);
        }
    }

    public async ValueTask<MapResult> MapAsync(GatewayMapping? previous, CancellationToken cancellationToken)
    {
        (IPAddress? external, GatewayFailure? none) = await ExternalAsync(cancellationToken).ConfigureAwait(false);
        if (external is null)
        {
            return new MapResult(null, none!.Value);
        }

        bool any = _service!.HasAddAny;
        uint lease = (uint)Math.Min(lifetime.TotalSeconds, LeaseMax);
        int wanted = previous?.External.Port ?? port;
        for (int tried = 1; ; tried++)
        {
            SoapCall call = SoapCall.AddMapping(any, wanted, port, route.Local.ToString(), lease, Description);
            (SoapAnswer? said, string why) = await _http.CallAsync(_service, call, cancellationToken).ConfigureAwait(false);
            if (said is not { } answer)
            {
                return MapResult.Failed(Name, why, wasAnswered: false);
            }

            if (answer.Error == 0)
            {
                int reserved = any && answer.Values.TryGetValue("NewReservedPort", out string? text) && ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort given) && given > 0 ? given : wanted;
                return MapResult.Of(new GatewayMapping(Name, route.Gateway, new IPEndPoint(external, reserved), port, TimeSpan.FromSeconds(lease), time.GetElapsedTime(_start)));
            }

            if (tried > PortsTriedMax)
            {
                return MapResult.Failed(Name, answer.Text, wasAnswered: true);
            }

            if (answer.Error == SoapAnswer.OnlyPermanent)
            {
                lease = 0;
            }
            else if (any)
            {
                // Whatever it dislikes, the older call may please it.
                any = false;
            }
            else if (answer.Error == SoapAnswer.Conflict)
            {
                wanted = RandomPort();
            }
            else
            {
                return MapResult.Failed(Name, answer.Text, wasAnswered: true);
            }
        }
    }

    public async ValueTask<MappingState> CheckAsync(GatewayMapping mapping, CancellationToken cancellationToken)
    {
        (SoapAnswer? said, _) = await _http.CallAsync(_service!, SoapCall.GetMapping(mapping.External.Port), cancellationToken).ConfigureAwait(false);
        if (said is null)
        {
            // A gateway that restarted may listen on another port.
            return await ProbeAsync(cancellationToken).ConfigureAwait(false) is null ? MappingState.Lost : MappingState.Unknown;
        }

        if (said is not { Error: 0 } answer)
        {
            return said.Value.Error == SoapAnswer.NoSuchEntry ? MappingState.Lost : MappingState.Unknown;
        }

        bool isOurs = answer.Values.GetValueOrDefault("NewInternalClient") == route.Local.ToString()
            && answer.Values.GetValueOrDefault("NewInternalPort") == mapping.InternalPort.ToString(CultureInfo.InvariantCulture);
        (IPAddress? external, _) = await ExternalAsync(cancellationToken).ConfigureAwait(false);
        return isOurs && (external is null || external.Equals(mapping.External.Address)) ? MappingState.Alive : MappingState.Lost;
    }

    public async ValueTask DeleteAsync(GatewayMapping mapping, CancellationToken cancellationToken) =>
        await _http.CallAsync(_service!, SoapCall.DeleteMapping(mapping.External.Port), cancellationToken).ConfigureAwait(false);

    public void Dispose() => _http.Dispose();

    private async ValueTask<(IPAddress? External, GatewayFailure? Failure)> ExternalAsync(CancellationToken cancellationToken)
    {
        (SoapAnswer? said, string why) = await _http.CallAsync(_service!, SoapCall.GetExternalIpAddress, cancellationToken).ConfigureAwait(false);
        return said switch
        {
            null => (null, new GatewayFailure(Name, why, WasAnswered: false)),
            { Error: not 0 } => (null, new GatewayFailure(Name, said.Value.Text, WasAnswered: true)),
            { } answer when IPAddress.TryParse(answer.Values.GetValueOrDefault("NewExternalIPAddress"), out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetwork && GatewayAddresses.IsUsable(address) =>
                (address, null),
            _ => (null, new GatewayFailure(Name, "it has no external address itself", WasAnswered: true)),
        };
    }

    private int RandomPort()
    {
        Span<byte> bytes = stackalloc byte[2];
        entropy.Fill(bytes);
        return LowestPort + (BitConverter.ToUInt16(bytes) % (65536 - LowestPort));
    }
}
