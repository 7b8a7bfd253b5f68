using System.Net;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Pairing;

/// <summary>
/// What a pairing link says: <c>agentmesh://pair?v=1&amp;k=KEY&amp;s=SECRET&amp;x=EXPIRY&amp;n=NAME&amp;a=ADDRESS&amp;a=…&amp;b=BEACON&amp;c=CHECK</c>.
/// Whoever reads it can join once, so it is as secret as a password until then.
/// </summary>
public sealed record Invitation
{
    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromMinutes(10);

    public const int AddressesMax = 16;

    /// <summary>Characters of an inviter's name; longer names are cut.</summary>
    public const int NameMax = 64;

    public required DevicePublicKey Key { get; init; }

    public required InvitationSecret Secret { get; init; }

    /// <summary>Whole seconds.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What the inviter calls itself: for people, proves nothing.</summary>
    public required string InviterName { get; init; }

    /// <summary>Where the inviter can be reached, at most <see cref="AddressesMax"/>.</summary>
    public required IReadOnlyList<IPEndPoint> Addresses { get; init; }

    public const int BeaconsMax = 4;

    /// <summary>Beacons at which the inviter waits for who joins, each <c>host:port#key</c>; at most <see cref="BeaconsMax"/>.</summary>
    public IReadOnlyList<string> Beacons { get; init; } = [];

    /// <exception cref="MeshException">AM0110: not a link, damaged, or of a newer version. AM0111: expired at <paramref name="now"/>.</exception>
    public static Invitation Parse(string link, DateTimeOffset now)
    {
        Invitation invitation = InvitationLink.Read(link);
        return now < invitation.ExpiresAt ? invitation : throw new MeshException(
            ProtocolErrors.InvitationExpired,
            $"the invitation of {invitation.InviterName} expired at {invitation.ExpiresAt:u}; it is {now:u} here",
            "Ask for a new one: 'agentmesh invite' on the other device. If it was just made, one of the two clocks is wrong.");
    }

    public string ToLink() => InvitationLink.Write(this);

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"invitation of {InviterName} ({Key.Id}), valid until {ExpiresAt:u}";
}
