namespace AgentMesh.Node.Control;

/// <summary>POST /v1/invitations.</summary>
public sealed record InviteRequest(IReadOnlyList<string>? Grants = null, double? LifetimeMs = null);

/// <param name="Id">Names it in GET /v1/invitations; no secret.</param>
/// <param name="Code">What a person says to another; null where libsodium is too old for it.</param>
/// <param name="Ways">How the code leads here; null without one.</param>
public sealed record InvitationView(string Link, DateTimeOffset ExpiresAt, IReadOnlyList<string> Grants, string Id, string? Code, CodeWaysView? Ways = null);

/// <summary>Over which ways a code can be used, beside an address that is given with it.</summary>
/// <param name="LocalNetwork">On the networks of this device.</param>
/// <param name="Beacons">host:port of the beacons at which it is known, for ten minutes.</param>
public sealed record CodeWaysView(bool LocalNetwork, IReadOnlyList<string> Beacons);

/// <summary>GET /v1/invitations.</summary>
/// <param name="State">open, used or expired.</param>
/// <param name="Code">The code that counts now; null when there is none any more.</param>
/// <param name="WrongGuesses">Each of them ended a code.</param>
/// <param name="LastWrongFrom">Address of the latest one, or the beacon that it came through.</param>
/// <param name="UsedBy">Name of the device that joined by it.</param>
/// <param name="CheckDigits">What that device showed, too.</param>
public sealed record InvitationStateView(
    string Id, string State, string? Code, DateTimeOffset ExpiresAt, IReadOnlyList<string> Grants, int WrongGuesses, string? LastWrongFrom, string? UsedBy, string? CheckDigits,
    CodeWaysView? Ways = null);

/// <summary>POST /v1/join.</summary>
/// <param name="Link">Of an invitation; this or <paramref name="Code"/>.</param>
/// <param name="At">HOST or HOST:PORT where the inviting device is: instead of asking the local network and the beacons for a code, beside the addresses of a link.</param>
/// <param name="NoIntroduce">The inviting device does not get the grant <c>introduce</c> here, which it gets otherwise.</param>
public sealed record JoinRequest(string? Link = null, IReadOnlyList<string>? Grants = null, string? Code = null, string? At = null, bool NoIntroduce = false);

/// <param name="CheckDigits">Six digits that the other device shows too.</param>
/// <param name="Invitation">Which one of this device was used; null on the device that joined.</param>
/// <param name="KnownThere">In the answer to POST /v1/join: whether the inviting device knows this one by its name. False where it has not said so within 5 s; it will when they are linked. Null elsewhere.</param>
public sealed record PairingView(string Name, string Id, string CheckDigits, DateTimeOffset At, string? Invitation = null, bool? KnownThere = null);

/// <summary>POST /v1/grants: exactly one of grant and revoke holds names.</summary>
public sealed record GrantRequest(string Peer, IReadOnlyList<string>? Grant = null, IReadOnlyList<string>? Revoke = null, bool DropIntroduced = false);

/// <summary>POST /v1/rename: what the peer is called on this device from now on.</summary>
public sealed record RenameRequest(string Peer, string Name);

/// <summary>POST /v1/forget: the peer is put out of the mesh, as this device sees it.</summary>
public sealed record ForgetRequest(string Peer);

public sealed record ForgottenView(string Name, string Id);
