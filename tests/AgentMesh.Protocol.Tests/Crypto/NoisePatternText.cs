using AgentMesh.Protocol.Noise;

namespace AgentMesh.Protocol.Tests.Crypto;

/// <summary>The patterns of the Noise specification, section 7.5 and 9.4, as they are written there.</summary>
internal static class NoisePatternText
{
    private static readonly Dictionary<string, string> Patterns = new()
    {
        ["NK"] = "<- s | e es | e ee",
        ["KK"] = "-> s <- s | e es ss | e ee se",
        ["IK"] = "<- s | e es s ss | e ee se",
        ["XX"] = "| e | e ee s es | s se",
        ["IX"] = "| e s | e ee se s es",
        ["NNpsk0"] = "| psk e | e ee",
        ["XXpsk3"] = "| e | e ee s es | s se psk",
        ["IKpsk1"] = "<- s | e es s ss psk | e ee se",
    };

    public static NoisePattern Parse(string name)
    {
        string[] parts = Patterns[name].Split('|');
        return new NoisePattern(
            name,
            InitiatorKnowsResponder: parts[0].Contains("<- s", StringComparison.Ordinal),
            ResponderKnowsInitiator: parts[0].Contains("-> s", StringComparison.Ordinal),
            [.. parts[1..].Select(m => m.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(t => Enum.Parse<NoiseToken>(t, ignoreCase: true)).ToArray())]);
    }
}
