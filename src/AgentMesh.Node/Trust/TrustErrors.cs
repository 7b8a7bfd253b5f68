namespace AgentMesh.Node.Trust;

/// <summary>Codes of what goes wrong where trust is given and taken, AM0140 to AM0159. Each has a page in <c>docs/errors</c>.</summary>
internal static class TrustErrors
{
    public const string Revoked = "AM0140";
    public const string NotBurnt = "AM0150";

    /// <summary>Beside that range, which is full.</summary>
    public const string OwnKeyForked = "AM0176";

    /// <summary>Of the range of what goes wrong between devices.</summary>
    public const string NobodyToTell = "AM0366";
}
