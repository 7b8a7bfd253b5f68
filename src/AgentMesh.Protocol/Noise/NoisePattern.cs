namespace AgentMesh.Protocol.Noise;

internal enum NoiseToken : byte
{
    E,
    S,
    EE,
    ES,
    SE,
    SS,
    Psk,
}

/// <summary>A handshake pattern of the Noise specification, sections 7 and 9. The first message goes from the initiator to the responder.</summary>
/// <param name="InitiatorKnowsResponder">The responder's static key is a pre-message.</param>
/// <param name="ResponderKnowsInitiator">The initiator's static key is a pre-message.</param>
internal sealed record NoisePattern(string Name, bool InitiatorKnowsResponder, bool ResponderKnowsInitiator, IReadOnlyList<NoiseToken[]> Messages)
{
    /// <summary>The handshake of every mesh connection.</summary>
    public static NoisePattern IKpsk2 { get; } = new(
        "IKpsk2",
        InitiatorKnowsResponder: true,
        ResponderKnowsInitiator: false,
        [[NoiseToken.E, NoiseToken.ES, NoiseToken.S, NoiseToken.SS], [NoiseToken.E, NoiseToken.EE, NoiseToken.SE, NoiseToken.Psk]]);

    public bool UsesPsk { get; } = Messages.Any(m => m.Contains(NoiseToken.Psk));
}
