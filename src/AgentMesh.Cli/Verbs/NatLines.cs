using System.Globalization;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>What is known of the NAT, for people, in one line.</summary>
internal static class NatLines
{
    public static string Of(NatView nat)
    {
        string kind = nat.Kind switch
        {
            "none" => "none",
            "independent" => "maps independently (cone)",
            "sequential" => string.Create(CultureInfo.InvariantCulture, $"maps dependently (symmetric), ports in steps of {nat.PortStep}"),
            "random" => "maps dependently (symmetric), ports at random",
            _ => "not known yet",
        };
        string filtering = nat.Filtering switch
        {
            "by-port" => ", lets in only the address and port that was sent to",
            "by-address" => ", lets in the addresses that were sent to",
            _ => "",
        };
        string hairpin = nat is { Kind: "none" } ? "" : nat.Hairpin switch { true => ", hairpins", false => ", no hairpin", null => "" };
        return $"{kind}{(nat.Kind == "none" && nat.Filtering == "by-address" ? "" : filtering)}{hairpin}{(nat.Outside is { } outside ? $"; outside {outside}" : "")}{PortsOf(nat)}";
    }

    private static string PortsOf(NatView nat) => (nat.PortLivesMs, nat.PortDiesMs) switch
    {
        ({ } lives, { } dies) => string.Create(CultureInfo.InvariantCulture, $"; ports end after {lives / 1000:0} to {dies / 1000:0} s of silence"),
        (null, { } dies) => string.Create(CultureInfo.InvariantCulture, $"; ports end within {dies / 1000:0} s of silence"),
        ({ } lives, null) => string.Create(CultureInfo.InvariantCulture, $"; ports live longer than {lives / 1000:0} s of silence"),
        _ => "",
    };
}
