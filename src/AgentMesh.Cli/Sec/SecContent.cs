using System.Net;
using System.Text.Json.Serialization;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Cli.Sec;

/// <summary>The outside of a .sec file.</summary>
internal sealed record SecOuter(string? Version, string? Salt, string? Iv, string? Ciphertext, string? Tag, string? Algorithm, int Iterations);

/// <summary>The inside: an invitation. Times are seconds since 1970, bytes are base64.</summary>
/// <param name="ServerId">Device id of who invites.</param>
/// <param name="SharedSecret">The single-use secret, the same that a link carries.</param>
/// <param name="BootstrapKeyId">Names the invitation; 'agentmesh invitations' shows its beginning.</param>
/// <param name="NextRotation">When a waiting 'sec create' replaces the file; <paramref name="ValidUntil"/> where nobody does.</param>
/// <param name="GracePeriod">Seconds for which the file before still counts after a new one was written.</param>
internal sealed record SecContent(
    string? Version,
    string? Protocol,
    string? ServerId,
    string? ServerName,
    string? ServerPublicKey,
    string? ServerPublicIp,
    int ServerUdpPort,
    IReadOnlyList<string>? Addresses,
    IReadOnlyList<string>? Beacons,
    string? SharedSecret,
    string? BootstrapKeyId,
    long Timestamp,
    long ValidFrom,
    long ValidUntil,
    long NextRotation,
    int GracePeriod)
{
    public const string ProtocolName = "agentmesh-pairing-1";

    public static SecContent Of(Invitation invitation, DateTimeOffset now, TimeSpan grace) => new(
        SecFile.Version,
        ProtocolName,
        invitation.Key.Id.ToString(),
        invitation.InviterName,
        Convert.ToBase64String(invitation.Key.Span),
        invitation.Addresses.Count > 0 ? invitation.Addresses[0].Address.ToString() : null,
        invitation.Addresses.Count > 0 ? invitation.Addresses[0].Port : 0,
        [.. invitation.Addresses.Select(address => address.ToString())],
        [.. invitation.Beacons],
        Convert.ToBase64String(invitation.Secret.Span),
        invitation.Secret.Id.ToString(),
        now.ToUnixTimeSeconds(),
        now.ToUnixTimeSeconds(),
        invitation.ExpiresAt.ToUnixTimeSeconds(),
        (invitation.ExpiresAt - grace).ToUnixTimeSeconds(),
        (int)grace.TotalSeconds);

    /// <summary>What it invites to.</summary>
    /// <exception cref="MeshException">AM0143: it says no invitation. AM0145: it has expired.</exception>
    public Invitation ToInvitation(DateTimeOffset now)
    {
        byte[] key = new byte[DevicePublicKey.Size + 1], secret = new byte[InvitationSecret.Size + 1];
        bool good = Protocol == ProtocolName
            && Convert.TryFromBase64String(ServerPublicKey ?? "", key, out int keyBytes) && keyBytes == DevicePublicKey.Size
            && Convert.TryFromBase64String(SharedSecret ?? "", secret, out int secretBytes) && secretBytes == InvitationSecret.Size
            && ServerName is { Length: > 0 and <= Invitation.NameMax } && !ServerName.Any(char.IsControl)
            && Addresses is { Count: > 0 and <= Invitation.AddressesMax } && (Beacons ?? []).Count <= Invitation.BeaconsMax
            && ValidUntil is > 0 and < 253402300800;
        if (!good)
        {
            throw SecFile.Malformed("what is inside says no invitation");
        }

        DateTimeOffset until = DateTimeOffset.FromUnixTimeSeconds(ValidUntil);
        if (now >= until)
        {
            throw Expired($"this .sec file of {ServerName} counted until {until:u}; it is {now:u} here");
        }

        return new Invitation
        {
            Key = new DevicePublicKey(key.AsSpan(0, DevicePublicKey.Size)),
            Secret = new InvitationSecret(secret.AsSpan(0, InvitationSecret.Size)),
            ExpiresAt = until,
            InviterName = ServerName!,
            Addresses = [.. Addresses!.Select(text => IPEndPoint.TryParse(text ?? "", out IPEndPoint? address) && address.Port != 0 ? address : throw SecFile.Malformed("what is inside names no address"))],
            Beacons = [.. (Beacons ?? []).Select(text => text is { Length: <= 320 } && !text.Any(char.IsControl) ? text : throw SecFile.Malformed("what is inside names no beacon"))],
        };
    }

    public static MeshException Expired(string what, MeshException? inner = null) =>
        new(CliErrors.SecExpired, what, "have a new one made: 'agentmesh sec create' there; --valid says for how long. If it was just made, one of the two clocks is wrong", inner);
}

/// <summary>What 'sec inspect' shows; the secret is not among it.</summary>
/// <param name="ServerName">This and what follows is null without the passphrase.</param>
public sealed record SecView(
    string File,
    long Bytes,
    string Version,
    string Algorithm,
    int Iterations,
    string? ServerName = null,
    string? ServerId = null,
    string? Invitation = null,
    IReadOnlyList<string>? Addresses = null,
    DateTimeOffset? ValidFrom = null,
    DateTimeOffset? ValidUntil = null,
    bool? Expired = null);

/// <summary>What 'sec create' has written.</summary>
public sealed record SecCreatedView(string File, string Invitation, DateTimeOffset ValidUntil, IReadOnlyList<string> Grants);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SecOuter))]
[JsonSerializable(typeof(SecContent))]
internal sealed partial class SecJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SecView))]
[JsonSerializable(typeof(SecCreatedView))]
internal sealed partial class SecViewJson : JsonSerializerContext;
