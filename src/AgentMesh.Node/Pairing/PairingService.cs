using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Transport.Pairing;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Pairing;

/// <summary>
/// Takes devices in: makes links and codes, joins by them, and answers the handshake's question who is admitted. Invitations survive a
/// restart, codes do not.
/// </summary>
internal sealed class PairingService : IAdmission
{
    private const int RememberedMax = 100;

    private static readonly TimeSpan LifetimeMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LifetimeMax = TimeSpan.FromDays(1);
    private static readonly TimeSpan JoinWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan KnownWithin = TimeSpan.FromSeconds(5);

    private readonly DeviceIdentity _identity;
    private readonly NodeSettings _settings;
    private readonly DeviceRegistry _registry;
    private readonly DeviceDirectory _directory;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly KeptInvitations _invitations;
    private readonly ConcurrentDictionary<DeviceId, Guest> _guests = new();
    private readonly ConcurrentQueue<PairingView> _done = new();

    public PairingService(DeviceIdentity identity, NodeSettings settings, DeviceRegistry registry, DeviceDirectory directory, KeptInvitations invitations, TimeProvider time, ILogger log)
    {
        _identity = identity;
        _settings = settings;
        _registry = registry;
        _directory = directory;
        _invitations = invitations;
        _time = time;
        _log = log;
        foreach (KeptInvitation pending in invitations.All.Where(each => each.IsPending))
        {
            _guests[pending.UsedBy.Id] = new Guest(pending.UsedBy, pending.Secret.Id, "-");
        }
    }

    /// <summary>Codes for the invitations of <see cref="Book"/>; set before anybody invites.</summary>
    public CodePairing? Codes { get; set; }

    /// <summary>Where invitations are met by who cannot reach this device; set before anybody invites.</summary>
    public BeaconService? Beacons { get; set; }

    /// <summary>Set before anybody invites.</summary>
    public Action CheckInvitation { get; set; } = static () => { };

    /// <summary>Everything that this device invites by.</summary>
    public InvitationBook Book => _invitations.Book;

    /// <summary>The invitations that are remembered, newest first.</summary>
    public IReadOnlyList<InvitationStateView> Invitations => [.. _invitations.All.Select(ViewOf)];

    /// <summary>Devices paired since the node started, newest first.</summary>
    public IReadOnlyList<PairingView> Done => [.. _done.Reverse()];

    public bool IsAdmitted(DevicePublicKey key) => _registry.IsAdmitted(key) || _guests.ContainsKey(key.Id);

    public DeviceId DeviceOf(DeviceId keyId) => _registry.DeviceOf(keyId);

    public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => Book.Find(id, now);

    public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => _invitations.TryTake(id, by, now);

    /// <summary>A connection came in. One that used an invitation up, now or before this node was restarted, waits for its name before it is admitted.</summary>
    public void Connected(IMeshConnection connection)
    {
        if (connection is MeshConnection guest && !connection.IsInitiator)
        {
            InvitationId by = guest.Invitation.IsNone && _guests.TryGetValue(guest.RemoteId, out Guest? before) && before.Key == guest.RemoteKey ? before.Invitation : guest.Invitation;
            if (!by.IsNone)
            {
                _guests[guest.RemoteId] = new Guest(guest.RemoteKey, by, guest.ComputeCheckDigits().ToString());
                AdmitIfKnown(guest.RemoteId);
            }
        }
    }

    /// <summary>A device has said its name.</summary>
    public void AdmitIfKnown(DeviceId device)
    {
        if (_directory.Hello(device) is not { } hello || !_guests.TryRemove(device, out Guest? guest))
        {
            return;
        }

        InvitationId invitation = Book.RootOf(guest.Invitation);
        _registry.Admit(guest.Key, hello.Name, [.. _invitations.Find(invitation)?.Grants ?? [], .. _settings.DefaultGrants]);
        _invitations.Admitted(invitation, hello.Name, guest.Digits);
        Remember(device, hello.Name, guest.Digits, invitation);
    }

    public async Task<InvitationView> InviteAsync(InviteRequest request, IReadOnlyList<IPEndPoint> addresses)
    {
        CheckInvitation();
        IReadOnlyCollection<string> grants = Grant.Check(request.Grants ?? []);
        TimeSpan lifetime = request.LifetimeMs is { } given ? LifetimeOf(given) : _settings.Invite.Lifetime;
        KeptInvitation made = _invitations.Create(grants, _time.GetUtcNow(), lifetime);
        var invitation = new Invitation
        {
            Key = _identity.PublicKey,
            Secret = made.Secret,
            ExpiresAt = made.ExpiresAt,
            InviterName = _settings.DeviceName,
            Addresses = [.. addresses.Take(Invitation.AddressesMax)],
            Beacons = [.. Beacons!.Clients.Select(client => client.Place.ToString()).Take(Invitation.BeaconsMax)],
        };
        Beacons.Refresh();
        PairingCode code = await CodeForAsync(made.Secret.Id).ConfigureAwait(false);
        return new InvitationView(invitation.ToLink(), made.ExpiresAt, [.. grants], made.Secret.Id.ToString(), code.IsNone ? null : code.ToString(), WaysOf(code));
    }

    public async Task<PairingView> JoinAsync(JoinRequest request, MeshEndpoint endpoint, LinkService links, CancellationToken cancellationToken)
    {
        IReadOnlyCollection<string> grants = Grant.Check(request.Grants ?? []);
        IReadOnlyList<IPEndPoint>? at = request.At is { } place ? JoinPlace.Resolve(place) : null;
        Invitation invitation = request switch
        {
            { Link: { } link, Code: null } => Invitation.Parse(link, _time.GetUtcNow()),
            { Link: null, Code: { } code } => await Codes!.FindAsync(code, at, cancellationToken).ConfigureAwait(false),
            _ => throw new MeshException(NodeErrors.ControlRequest, "to join, either 'link' or 'code' is needed", "see docs/control-api.md"),
        };
        if (invitation.Key == _identity.PublicKey)
        {
            throw new MeshException(NodeErrors.ControlRequest, "this link was made by this very device", "use it on the other device");
        }

        invitation = request.Link is null ? invitation : invitation with { Addresses = [.. at ?? [], .. invitation.Addresses] };
        using var late = new CancellationTokenSource(JoinWithin, _time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        await using BeaconService.Meeting meeting = Beacons!.Meet(invitation);
        MeshConnection connection;
        try
        {
            connection = await new Joining(invitation, endpoint, _time).RunAsync(isKnown: _registry.IsAdmitted(invitation.Key), patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new AttemptFailed(invitation.Key, AttemptFailure.NoAnswer).ToException($"{invitation.InviterName} ({invitation.Key.Id})");
        }

        string digits = await Task.Run(connection.ComputeCheckDigits, cancellationToken).ContinueWith(t => t.Result.ToString(), cancellationToken, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default).ConfigureAwait(false);
        _directory.Told(invitation.Key.Id, invitation.Addresses);

        // Who joins wants to meet the others of that mesh, also those that are invited later. The inviting device gives nothing for it: an invitation lets in one device.
        _registry.Admit(invitation.Key, invitation.InviterName, [.. grants, .. _settings.DefaultGrants, .. request.NoIntroduce ? [] : new[] { Grant.Introduce }]);
        links.Hurry(invitation.Key.Id);
        meeting.Keep();
        PairingView paired = Remember(invitation.Key.Id, invitation.InviterName, digits, default);
        bool isKnown = await links.News.UntilAsync(() => IsKnownBy(invitation.Key, links), KnownWithin, cancellationToken).ConfigureAwait(false);
        return paired with { KnownThere = isKnown };
    }

    /// <summary>The other device says that this one is in, which it does when it has heard its name; and has said nothing since that is not here yet: it may have put this device out before.</summary>
    private bool IsKnownBy(DevicePublicKey inviter, LinkService links)
    {
        // The link of one that has changed its key may have begun before its first key was heard of.
        ulong said = Math.Max(links.HeadOf(inviter.Id, inviter.Id), links.HeadOf(_registry.DeviceOf(inviter.Id), inviter.Id));
        return said > 0 && _registry.Heads().GetValueOrDefault(inviter.Id) >= said && _registry.IsAdmittedBy(inviter);
    }

    private static TimeSpan LifetimeOf(double milliseconds) =>
        milliseconds >= LifetimeMin.TotalMilliseconds && milliseconds <= LifetimeMax.TotalMilliseconds
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw new MeshException(NodeErrors.ControlRequest, "an invitation counts for 1 second to 24 hours", "give a time between, for example 30m, or none for ten minutes");

    private async Task<PairingCode> CodeForAsync(InvitationId invitation)
    {
        try
        {
            return await Codes!.OfferAsync(invitation, CancellationToken.None).ConfigureAwait(false);
        }
        catch (MeshException error) when (error.Code == Protocol.ProtocolErrors.SodiumMissing)
        {
            return default; // too old for codes; the link is as good
        }
    }

    private CodeWaysView? WaysOf(PairingCode code) => code.IsNone ? null : new CodeWaysView(Codes!.HasLink, Codes.WaysOf(code));

    private InvitationStateView ViewOf(KeptInvitation invited)
    {
        InvitationId id = invited.Secret.Id;
        string state = Book.Find(id, _time.GetUtcNow()).Status switch
        {
            InvitationStatus.Open => "open",
            InvitationStatus.Used => "used",
            _ => "expired",
        };
        CodeStatus? codes = Codes!.StatusOf(id);
        string? code = state == "open" && codes is { Code.IsNone: false } status ? status.Code.ToString() : null;
        return new InvitationStateView(id.ToString(), state, code, invited.ExpiresAt, [.. invited.Grants], codes?.WrongGuesses ?? 0, codes?.LastWrongFrom, invited.Name, invited.CheckDigits, code is null ? null : WaysOf(codes!.Value.Code));
    }

    private PairingView Remember(DeviceId device, string name, string digits, InvitationId invitation)
    {
        var view = new PairingView(name, device.ToString(), digits, _time.GetUtcNow(), invitation.IsNone ? null : invitation.ToString());
        _done.Enqueue(view);
        while (_done.Count > RememberedMax)
        {
            _done.TryDequeue(out _);
        }

        Log.Paired(_log, name, device.ToString(), digits);
        return view;
    }

    private sealed record Guest(DevicePublicKey Key, InvitationId Invitation, string Digits);
}
