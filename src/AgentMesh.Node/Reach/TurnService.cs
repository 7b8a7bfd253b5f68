using System.Net;
using System.Net.Sockets;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Gateways;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Stun.Turn;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Turn;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Reach;

/// <summary>
/// The allocations of this device at the TURN servers of its settings, as candidates; and what other devices tell of theirs, as ways to them. Thread-safe.
/// </summary>
internal sealed class TurnService : ICandidateSource, IAsyncDisposable
{
    private const int SecretCharsMax = 1024;

    private readonly MeshEndpoint _endpoint;
    private readonly DeviceDirectory _directory;
    private readonly LinkService _links;
    private readonly IReadOnlyList<TurnRelay> _relays;
    private readonly ILogger _log;

    public TurnService(MeshEndpoint endpoint, IReadOnlyList<TurnServerSettings> servers, DeviceDirectory directory, LinkService links, NameLookup names, TimeProvider time, ILogger log)
    {
        _endpoint = endpoint;
        _directory = directory;
        _links = links;
        _log = log;
        _relays = [.. servers.Select(server => new TurnRelay(endpoint, server.Server, () => Credentials(server, Environment.GetEnvironmentVariable), new TurnSettings(), names, SystemEntropy.Instance, time))];
        foreach (TurnRelay relay in _relays)
        {
            relay.Changed += () => OnRelayChanged(relay);
        }

        endpoint.Turn.Changed += OnWaysChanged;
        directory.RelayedChanged += OnTold;
    }

    public event Action? Changed;

    public CandidateKind Kind => CandidateKind.Relayed;

    public IReadOnlyList<IPEndPoint> Current => [.. _relays.Select(relay => relay.State.Relayed).OfType<IPEndPoint>()];

    /// <summary>What is told to other devices.</summary>
    public IReadOnlyList<RelayedPlace> Places => [.. _relays.Where(relay => relay.State.Relayed is not null).Select(relay => new RelayedPlace(relay.State.Relayed!, relay.Server.Host))];

    /// <summary>Where the servers see this device.</summary>
    public IEnumerable<IPAddress> SeenAt => _relays.Select(relay => relay.State.Mapped?.Address).OfType<IPAddress>();

    public void Start()
    {
        foreach (DeviceId device in _directory.Known)
        {
            _endpoint.Turn.Tell(device, _directory.Relayed(device));
        }

        Permit();
        foreach (TurnRelay relay in _relays)
        {
            relay.Start();
        }
    }

    /// <summary>Null without servers.</summary>
    public IReadOnlyList<TurnView>? View() => _relays.Count == 0 ? null : [.. _relays.Select(ViewOf)];

    public async ValueTask DisposeAsync()
    {
        _endpoint.Turn.Changed -= OnWaysChanged;
        _directory.RelayedChanged -= OnTold;
        foreach (TurnRelay relay in _relays)
        {
            await relay.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <exception cref="TurnCredentialsException">There is no password.</exception>
    internal static StunCredentials Credentials(TurnServerSettings server, Func<string, string?> environment)
    {
        string? password;
        try
        {
            password = server.PasswordFile is { } file ? File.ReadAllText(file).Trim() : environment(server.PasswordVariable!)?.Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TurnCredentialsException($"the file {server.PasswordFile} cannot be read: {error.Message}");
        }

        return password is { Length: > 0 and <= SecretCharsMax }
            ? new StunCredentials(server.User, password)
            : throw new TurnCredentialsException(server.PasswordFile is { } empty ? $"the file {empty} holds no password" : $"the environment variable {server.PasswordVariable} of the node is not set");
    }

    private static TurnView ViewOf(TurnRelay relay)
    {
        TurnState state = relay.State;
        (int permissions, int channels, int peers) = relay.Counts;
        return new TurnView(relay.Server.ToString(), state.Relayed?.ToString(), state.Mapped?.ToString(), permissions, channels, peers, state.Failure switch
        {
            null => null,
            { Kind: TurnFailureKind.Credentials } failure => new ProblemView(
                ReachErrors.TurnCredentials, $"the TURN server {relay.Server} cannot be used: {failure.Text}", "see that user and password are those of the server (agentmesh.turn.servers); it is tried again within 5 min"),
            { } failure => new ProblemView(
                ReachErrors.TurnRefused, $"the TURN server {relay.Server} gives no address: {failure.Text}", $"see that its name and port are right and that {(relay.Server.Transport == TurnTransport.Udp ? "UDP" : "TCP")} to it is let through, or take it out of agentmesh.turn.servers"),
        });
    }

    private void OnRelayChanged(TurnRelay relay)
    {
        TurnState state = relay.State;
        if (state.Relayed is { } address)
        {
            Log.TurnHeld(_log, relay.Server.ToString(), address.ToString());
        }
        else if (state.Failure is { } failure)
        {
            Log.TurnLost(_log, relay.Server.ToString(), failure.Text);
        }

        Changed?.Invoke();
        _links.SayAgain();
    }

    private void OnTold(DeviceId device)
    {
        _endpoint.Turn.Tell(device, _directory.Relayed(device));
        Permit();
    }

    private void OnWaysChanged(DeviceId device) => _links.Sightings.TakeWay(device, isNew: _endpoint.Turn.To(device).Count > 0);

    // Of more than the servers let through the first: allocations of devices, where servers see them, then where they listen.
    private void Permit()
    {
        if (_relays.Count == 0)
        {
            return;
        }

        DeviceId[] devices = [.. _directory.Admitted.Keys];
        IPAddress[] wanted =
        [
            .. devices.SelectMany(device => _directory.Relayed(device)).Select(place => place.Address.Address)
                .Concat(devices.SelectMany(_directory.SeenAt))
                .Concat(devices.SelectMany(_directory.Addresses).Select(address => address.Address))
                .Where(address => address.AddressFamily == AddressFamily.InterNetwork && GatewayAddresses.IsUsable(address) && GatewayAddresses.KindOf(address) == GatewayAddressKind.Public)
                .Distinct(),
        ];
        foreach (TurnRelay relay in _relays)
        {
            relay.Permit(wanted);
        }
    }
}
