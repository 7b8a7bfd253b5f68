using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Node.Control;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Gateways;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Gateways;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Reach;

/// <summary>The port that a gateway passes on to this device, as one more of its candidates.</summary>
internal sealed class GatewayService : ICandidateSource, IAsyncDisposable
{
    private readonly GatewayMapper _mapper;
    private readonly ILogger _log;
    private IPEndPoint? _told;

    private GatewayService(GatewayMapper mapper, ILogger log)
    {
        _mapper = mapper;
        _log = log;
        _mapper.Changed += OnChanged;
    }

    public event Action? Changed;

    public CandidateKind Kind => CandidateKind.Mapped;

    public IReadOnlyList<IPEndPoint> Current => _mapper.Status.Mapping is { } mapping ? [mapping.External] : [];

    /// <returns>Null where no IPv4 socket of the endpoint is open to other machines.</returns>
    public static GatewayService? TryCreate(IReadOnlyList<IPEndPoint> bound, GatewaySettings settings, DeviceIdentity identity, TimeProvider time, ILogger log)
    {
        IPEndPoint? outward = bound.FirstOrDefault(local => local.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(local.Address));
        if (outward is null)
        {
            return null;
        }

        // A signature of this device's own: nobody can guess it, and it is the same when a killed node comes back to the mapping that it left.
        byte[] nonce = SHA256.HashData(identity.Sign(Encoding.ASCII.GetBytes($"agentmesh pcp nonce {outward.Port}")))[..Pcp.NonceBytes];
        return new GatewayService(new GatewayMapper(outward.Port, settings, nonce, new SystemRouteTable(), SystemEntropy.Instance, time), log);
    }

    public void Start() => _mapper.Start();

    public GatewayView View()
    {
        GatewayStatus status = _mapper.Status;
        return new GatewayView(
            status switch
            {
                { Mapping: not null } => "mapped",
                { IsLooking: true } => "looking",
                { Gateway: null } => "no-gateway",
                _ => "none",
            },
            status.Gateway?.ToString(),
            status.Mapping?.Protocol,
            status.Mapping?.External.ToString(),
            status.Mapping is { } mapping ? _mapper.Left(mapping)?.TotalMilliseconds : null,
            [.. status.Failures.Select(failure => new GatewayFailureView(failure.Protocol, failure.Reason))],
            ProblemOf(status));
    }

    public async ValueTask DisposeAsync()
    {
        _mapper.Changed -= OnChanged;
        await _mapper.DisposeAsync().ConfigureAwait(false);
    }

    private static ProblemView? ProblemOf(GatewayStatus status)
    {
        if (status.Mapping is { Kind: not GatewayAddressKind.Public } inside)
        {
            string whose = inside.Kind == GatewayAddressKind.Shared ? "one that the provider shares among customers (100.64.0.0/10)" : "a private one";
            return new ProblemView(
                ReachErrors.MappedInside, $"{inside.Gateway} maps the port, but its own address {inside.External.Address} is {whose}: there is another NAT behind it", "only devices inside of that NAT can use it; for the others name a beacon (docs/beacon.md), or ask the provider for a public address");
        }

        if (status.Mapping is not null || status.IsLooking || status.Gateway is null)
        {
            return null;
        }

        string reasons = string.Join("; ", status.Failures.Select(failure => $"{failure.Protocol}: {failure.Reason}"));
        return status.Failures.Any(failure => failure.WasAnswered)
            ? new ProblemView(ReachErrors.GatewayRefused, $"{status.Gateway} maps no port for this device: {reasons}", "allow UPnP, NAT-PMP or PCP for this device in the settings of the router, or map the port there by hand and set agentmesh.announce")
            : new ProblemView(ReachErrors.NoGateway, $"{status.Gateway} maps no ports: {reasons}", "switch on UPnP, NAT-PMP or PCP in the settings of the router; without it punching and beacons still work (docs/gateways.md)");
    }

    private void OnChanged(GatewayStatus status)
    {
        IPEndPoint? before = Interlocked.Exchange(ref _told, status.Mapping?.External);
        if (status.Mapping is { } mapping && !mapping.External.Equals(before))
        {
            Log.GatewayMapped(_log, mapping.Protocol, mapping.Gateway, mapping.External, mapping.Lifetime);
        }
        else if (status is { Mapping: null, IsLooking: false } && status.Gateway is { } gateway)
        {
            Log.GatewayMapsNot(_log, gateway, string.Join("; ", status.Failures.Select(failure => $"{failure.Protocol}: {failure.Reason}")));
        }

        // A renewal is no news.
        if (!Equals(before, status.Mapping?.External))
        {
            Changed?.Invoke();
        }
    }
}
