namespace AgentMesh.Node.Reach;

/// <summary>Why a connection is relayed, for people and programs.</summary>
/// <param name="Code">looking, predicting, guessing, no-answer, hard-nats, no-common-family, not-confirmed, busy, old-device, direct-lost or udp-blocked; a code keeps its meaning.</param>
internal sealed record RelayedReason(string Code, string Text)
{
    public static readonly RelayedReason Looking = new("looking", "a direct path is being looked for");

    public static readonly RelayedReason Predicting = new("predicting", "a direct path is being looked for at the ports that the NATs should give out next");

    public static readonly RelayedReason Guessing = new("guessing", "a direct path is being looked for at many ports of a NAT, which takes up to 20 s");

    public static readonly RelayedReason Lost = new("direct-lost", "the direct path fell silent; another one is being looked for");

    public static readonly RelayedReason OldDevice = new("old-device", "the other device does not answer the question for a direct path; its version may be older");

    public static readonly RelayedReason HardNats = new("hard-nats", "the NATs of both devices give out another port for each address, at random: no direct path is possible over IPv4 (docs/nat.md)");

    public static readonly RelayedReason NoCommonFamily =
        new("no-common-family", "one of both devices has addresses of IPv4 only, the other of IPv6 only: no direct path is possible before one of them gets the other kind");

    public static readonly RelayedReason NotConfirmed = new("not-confirmed", "no beacon confirms where the other device is, so its ports are not tried out");

    public static readonly RelayedReason Busy = new("busy", "ports of another device are being tried out; this one comes after it");

    public static RelayedReason UdpBlocked(string? beacon) =>
        new("udp-blocked", $"UDP blocked: the beacon {beacon} does not answer by UDP, a WebSocket over TCP carries everything; UDP is tried again from time to time");

    public static RelayedReason NoAnswer(int candidates, TimeSpan nextIn) =>
        new("no-answer", $"no answer from {candidates} address{(candidates == 1 ? "" : "es")} of it: a NAT or firewall between lets none in; tried again within {nextIn.TotalSeconds:0} s");
}
