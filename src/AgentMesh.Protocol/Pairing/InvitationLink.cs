using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Pairing;

/// <summary>The text form of an <see cref="Invitation"/>. Its check, the last parameter, finds what mail programs and hasty copying do to links.</summary>
internal static class InvitationLink
{
    public const string Prefix = "agentmesh://pair?";

    private const string Version = "1";
    private const string CheckMark = "&c=";
    private const int MaxLength = 4096;
    private const int BeaconMax = 320;

    // 6 bytes of SHA-256: eight characters; against accidents, not against attackers.
    private const int CheckBytes = 6;

    public static string Write(Invitation invitation)
    {
        string name = invitation.InviterName.Length <= Invitation.NameMax ? invitation.InviterName : invitation.InviterName[..Invitation.NameMax];
        var link = new StringBuilder(Prefix)
            .Append("v=").Append(Version)
            .Append("&k=").Append(invitation.Key)
            .Append("&s=").Append(invitation.Secret.Encode())
            .Append(CultureInfo.InvariantCulture, $"&x={invitation.ExpiresAt.ToUnixTimeSeconds()}")
            .Append("&n=").Append(Uri.EscapeDataString(name));
        foreach (IPEndPoint address in invitation.Addresses.Take(Invitation.AddressesMax))
        {
            link.Append("&a=").Append(address);
        }

        foreach (string beacon in invitation.Beacons.Take(Invitation.BeaconsMax))
        {
            link.Append("&b=").Append(Uri.EscapeDataString(beacon));
        }

        string check = CheckOf(link.ToString());
        return link.Append(CheckMark).Append(check).ToString();
    }

    /// <summary>Does not look at the expiry.</summary>
    public static Invitation Read(string text)
    {
        string link = text.Trim();
        if (!link.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            throw Damaged($"it does not start with {Prefix}");
        }

        if (link.Length > MaxLength)
        {
            throw Damaged($"it has {link.Length} characters; no link has more than {MaxLength}");
        }

        link = Prefix + link[Prefix.Length..];
        Dictionary<string, List<string>> parameters = Split(link[Prefix.Length..]);
        if (One(parameters, "v") is var version and not Version)
        {
            throw Damaged($"it is of version {version}, this program knows version {Version}; update it");
        }

        int check = link.LastIndexOf(CheckMark, StringComparison.Ordinal);
        if (check < 0)
        {
            throw Damaged("its end is missing");
        }

        if (CheckOf(link[..check]) != link[(check + CheckMark.Length)..])
        {
            throw Damaged("characters were lost or changed on the way");
        }

        return new Invitation
        {
            Key = new DevicePublicKey(Bytes(parameters, "k", DevicePublicKey.Size)),
            Secret = new InvitationSecret(Bytes(parameters, "s", InvitationSecret.Size)),
            ExpiresAt = Expiry(One(parameters, "x")),
            InviterName = Name(One(parameters, "n")),
            Addresses = Addresses(parameters),
            Beacons = [.. (parameters.GetValueOrDefault("b") ?? []).Take(Invitation.BeaconsMax).Select(Beacon)],
        };
    }

    private static Dictionary<string, List<string>> Split(string query)
    {
        var parameters = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string part in query.Split('&'))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw Damaged($"'{Shorten(part)}' is no parameter");
            }

            if (!parameters.TryGetValue(part[..equals], out List<string>? values))
            {
                parameters.Add(part[..equals], values = []);
            }

            values.Add(part[(equals + 1)..]);
        }

        return parameters;
    }

    private static string One(Dictionary<string, List<string>> parameters, string name) =>
        !parameters.TryGetValue(name, out List<string>? values) ? throw Damaged($"its part '{name}' is missing; was the whole link copied, in quotes?")
        : values.Count == 1 ? values[0]
        : throw Damaged($"its part '{name}' is there {values.Count} times");

    private static byte[] Bytes(Dictionary<string, List<string>> parameters, string name, int size)
    {
        byte[] bytes = new byte[size];
        string text = One(parameters, name);
        return ExactBase64.TryDecode(text, bytes) ? bytes : throw Damaged($"its part '{name}' does not hold {size} bytes");
    }

    private static DateTimeOffset Expiry(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw Damaged("its part 'x' is no time");

    // The name is shown in terminals: control characters would be commands to them.
    private static string Name(string text)
    {
        string name = Uri.UnescapeDataString(text);
        return name.Length <= Invitation.NameMax && !name.Any(char.IsControl) ? name : throw Damaged("its part 'n' is no name");
    }

    // Whether it is one is looked at where it is used; an older or newer form of it does not spoil the link.
    private static string Beacon(string text)
    {
        string beacon = Uri.UnescapeDataString(text);
        return beacon.Length <= BeaconMax && !beacon.Any(char.IsControl) ? beacon : throw Damaged("its part 'b' is no beacon");
    }

    private static List<IPEndPoint> Addresses(Dictionary<string, List<string>> parameters)
    {
        List<IPEndPoint> addresses = [];
        foreach (string text in parameters.GetValueOrDefault("a") ?? [])
        {
            if (addresses.Count == Invitation.AddressesMax)
            {
                throw Damaged($"it has more than {Invitation.AddressesMax} addresses");
            }

            bool good = IPEndPoint.TryParse(text, out IPEndPoint? address) && address.Port != 0;
            addresses.Add(good ? address! : throw Damaged($"'{Shorten(text)}' is no address with a port"));
        }

        return addresses.Count > 0 ? addresses : throw Damaged("it names no address");
    }

    internal static string CheckOf(string text) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, CheckBytes));

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "…";

    private static MeshException Damaged(string why) => new(
        ProtocolErrors.InvitationDamaged,
        $"this is not a usable invitation link: {why}",
        "Copy the whole line that 'agentmesh invite' printed, in single quotes, or make a new invitation.");
}
