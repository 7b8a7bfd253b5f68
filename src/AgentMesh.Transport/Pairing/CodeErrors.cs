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

    public static MeshException Of(CodeResult result, PairingCode code, IReadOnlyList<IPEndPoint>? asked) => result.Failure switch
    {
        CodeFailure.Nobody when asked is null => new(
            TransportErrors.CodeNobody,
            $"no device on this network knows a code that begins with {FirstWord(code)}",
            "Is it the same network, and is the code younger than ten minutes? Networks that keep their guests apart cannot be used so: "
            + "join by the link that 'agentmesh invite --link' prints there, or say where the device is: 'agentmesh join CODE --at HOST[:PORT]'."),
        CodeFailure.Nobody => new(
            TransportErrors.CodeNobody,
            $"no device at {string.Join(" or ", asked!)} knows a code that begins with {FirstWord(code)}",
            "Look at the address and the UDP port ('agentmesh status' there), at firewalls in between, and at the age of the code: it lives ten minutes."),
        CodeFailure.Wrong => new(
            TransportErrors.CodeWrong,
            $"the code is not right, and {result.At} has given it up: one guess is all there is",
            "Ask for the code that the other device shows now ('agentmesh invitations' there). If it was typed as it was told, somebody else on this network may have answered: compare with the person, or join by the link."),
        CodeFailure.Burnt => new(TransportErrors.CodeOver, $"the device at {result.At} gave this code up after a wrong guess, of yours or of somebody else", NewOne),
        CodeFailure.Expired => new(TransportErrors.CodeOver, $"the code has expired at {result.At}", NewOne),
        CodeFailure.Used => new(TransportErrors.CodeOver, $"the code was used already at {result.At}, or the link that belongs to it", NewOne + " If it was not you who used it, look at 'agentmesh peers' there."),
        CodeFailure.Busy => new(TransportErrors.CodeBrokenOff, $"the device at {result.At} is kept busy by others that try the same code", "Try again; if it stays so, join by the link."),
        _ => new(TransportErrors.CodeBrokenOff, $"the device at {result.At} answered and then went silent", "Try again with the same code; if it was given up meanwhile, you are told."),
    };

    private static string FirstWord(PairingCode code) => code.ToString().Split('-')[0];
}
