using System.Globalization;
using AgentMesh.Node;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Doctor;

/// <summary>Whom this device trusts, where something is wrong with it.</summary>
internal static class TrustChecks
{
    /// <summary>What the node makes of a damaged file of invitations.</summary>
    public const string PutAside = "invitations.damaged";

    private const int IdShown = 12;
    private const int NamesShown = 5;
    private const int FingerprintShown = 9; // two groups of four digits

    /// <summary>Each device that two keys claim to speak for.</summary>
    public static IEnumerable<DoctorCheck> Forks(IEnumerable<DeviceView> devices) => devices.Where(device => device is { State: "forked", IsLocal: false }).Select(device => DoctorCheck.Fail(
        $"key of {device.Name}",
        $"two keys claim to be the next one of {device.Name} ({device.Id[..IdShown]}), so its key was in two hands and neither counts: {string.Join(" and ", device.Claims.Select(Of))}",
        $"on {device.Name}: agentmesh compromised, then agentmesh up, and pair it again; here, when that is done: agentmesh devices revoke {device.Id[..IdShown]}",
        "AM0368"));

    /// <summary>What is known to be wrong with the key of this device.</summary>
    /// <returns>Null where nothing is.</returns>
    public static DoctorCheck? OwnKey(StatusView status) => status.Key is { } key ? DoctorCheck.Fail("key of this device", key.Message, key.Next ?? "", key.Code) : null;

    /// <summary>Those whom a device has let in that may not introduce here: a line for each introducer.</summary>
    public static IEnumerable<DoctorCheck> Introductions(IEnumerable<DeviceView> devices) => devices.Where(device => device is { State: "introduced", AdmittedBy: not null }).GroupBy(device => device.AdmittedBy!).Select(by => DoctorCheck.Warn(
        $"introduced by {by.Key}",
        $"{by.Key} introduces {string.Join(", ", by.Take(NamesShown).Select(device => $"{device.Name} ({device.Id[..IdShown]})"))}{(by.Skip(NamesShown).Any() ? " and more" : "")}, and may not introduce here: they are strangers to this device",
        $"to let it: agentmesh grant {by.Key} introduce; or pair them here with 'agentmesh invite'; if neither is wanted, leave it",
        NodeErrors.IntroductionRefused));

    /// <summary>A file of invitations that a start found damaged and put aside.</summary>
    /// <returns>Null where there is none.</returns>
    public static DoctorCheck? Invitations(string data)
    {
        string aside = Path.Combine(data, PutAside);
        return File.Exists(aside)
            ? DoctorCheck.Warn("invitations", $"the invitations of this device could not be read and were put aside in {aside}: those that were open invite nobody", $"make new ones with 'agentmesh invite', then: rm {Text.Quoted(aside)}", NodeErrors.InvitationsIgnored)
            : null;
    }

    private static string Of(KeyClaimView claim) =>
        $"{claim.Fingerprint[..Math.Min(FingerprintShown, claim.Fingerprint.Length)]}... of {claim.At.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}";
}
