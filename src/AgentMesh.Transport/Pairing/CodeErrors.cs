using System.Net;
using AgentMesh.Errors;
using AgentMesh.Protocol.Pairing.Codes;

namespace AgentMesh.Transport.Pairing;

/// <summary>What the one who typed a code is told when it did not work, and what to do.</summary>
internal static class CodeErrors
{
    private const string NewOne = "Ask for the code that the other device shows now ('agentmesh invitations' there), or for a new one: 'agentmesh invite'.";

    public static MeshException Malformed(string problem) => new(
        TransportErrors.CodeMalformed,
        $"this is no pairing code: {problem}",
        "A code is two words and four digits, such as AMBER-WALNUT-4821, as 'agentmesh invite' shows it. Nothing was sent and the code is still good: type it again.");

    public static MeshException Own() => new(TransportErrors.CodeOwn, "this code was made by this very device", "Use it on the other device.");

    public static MeshException NothingToAsk(bool isOff) => new(
        TransportErrors.CodeNobody,
        isOff ? "finding devices on the local network is switched off here (agentmesh.discovery.lan.enabled)" : "this device is on no local network on which it could ask: it listens on loopback only, or no interface is up",
        "Say where the other device is: 'agentmesh join CODE --at HOST[:PORT]', or join by its link.");

    public static MeshException Of(CodeResult result, PairingCode code, CodeSearch searched, Func<IPEndPoint, string> nameOf)
    {
        string at = result.At is { } place ? nameOf(place) : "";
        return result.Failure switch
        {
            CodeFailure.Nobody => Nobody(code, searched),
            CodeFailure.Wrong => new(
                TransportErrors.CodeWrong,
                $"the code is not right, and the device at {at} has given it up: one guess is all there is",
                "Ask for the code that the other device shows now ('agentmesh invitations' there). If it was typed as it was told, somebody else on the way may have answered: compare with the person, or join by the link."),
            CodeFailure.Burnt => new(TransportErrors.CodeOver, $"the device at {at} gave this code up after a wrong guess, of yours or of somebody else", NewOne),
            CodeFailure.Expired => new(TransportErrors.CodeOver, $"the code has expired at {at}", NewOne),
            CodeFailure.Used => new(TransportErrors.CodeOver, $"the code was used already at {at}, or the link that belongs to it", NewOne + " If it was not you who used it, look at 'agentmesh peers' there."),
            CodeFailure.Busy => new(TransportErrors.CodeBrokenOff, $"the device at {at} is kept busy by others that try the same code", "Try again; if it stays so, join by the link."),
            _ => new(TransportErrors.CodeBrokenOff, $"the device at {at} answered and then went silent", "Try again with the same code; if it was given up meanwhile, you are told."),
        };
    }

    private static MeshException Nobody(PairingCode code, CodeSearch searched) => searched switch
    {
        { At: { } places } => new(
            TransportErrors.CodeNobody,
            $"no device at {string.Join(" or ", places)} knows a code that begins with {FirstWord(code)}",
            "Look at the address and the UDP port ('agentmesh status' there), at firewalls in between, and at the age of the code: it lives ten minutes."),
        { HasLink: false, Asked: [] } => new(
            TransportErrors.CodeNoBeacon,
            "the code cannot be looked for: this device is on no local network, and " + (searched.Silent.Count > 0 ? $"no beacon of it answers ({string.Join(", ", searched.Silent)})" : "it has no beacon"),
            "'agentmesh status' says why. Or say where the other device is: 'agentmesh join CODE --at HOST[:PORT]', or join by its link."),
        { Asked: [] } => new(
            TransportErrors.CodeNobody,
            $"no device on this network knows a code that begins with {FirstWord(code)}" + (searched.Silent.Count > 0 ? $", and no beacon answers ({string.Join(", ", searched.Silent)})" : ""),
            "Is it the same network, and is the code younger than ten minutes? Networks that keep their guests apart cannot be used so: "
            + "join by the link that 'agentmesh invite --link' prints there, or say where the device is: 'agentmesh join CODE --at HOST[:PORT]'."),
        _ => new(
            TransportErrors.CodeNobody,
            $"no device {(searched.HasLink ? "on this network, nor " : "")}at the beacon {string.Join(" or ", searched.Asked)}, knows a code that begins with {FirstWord(code)}",
            "Does the other device use the same beacon, and is the code younger than ten minutes? 'agentmesh invite' there says through which ways its code can be used. "
            + "Else join by the link, or say where the device is: 'agentmesh join CODE --at HOST[:PORT]'."),
    };

    private static string FirstWord(PairingCode code) => code.ToString().Split('-')[0];
}

/// <summary>Where a code was looked for.</summary>
/// <param name="At">The given places; null for everywhere.</param>
/// <param name="Asked">Names of the beacons that were there.</param>
/// <param name="Silent">Names of those that were not.</param>
internal sealed record CodeSearch(IReadOnlyList<IPEndPoint>? At, bool HasLink, IReadOnlyList<string> Asked, IReadOnlyList<string> Silent);
