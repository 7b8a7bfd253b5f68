using AgentMesh.Protocol.Pairing.Codes;

namespace AgentMesh.Transport.Pairing;

/// <summary>What became of the codes of an invitation.</summary>
/// <param name="Code">The one that counts; none when there were too many wrong guesses.</param>
/// <param name="LastWrongFrom">Where the latest wrong guess came from; null when there was none.</param>
public readonly record struct CodeStatus(PairingCode Code, int WrongGuesses, string? LastWrongFrom);
