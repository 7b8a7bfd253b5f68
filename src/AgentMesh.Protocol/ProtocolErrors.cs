namespace AgentMesh.Protocol;

/// <summary>Every error code that this project gives, AM0101 to AM0129. Each has a page <c>docs/errors/CODE.md</c>.</summary>
public static class ProtocolErrors
{
    public const string SodiumMissing = "AM0101";
    public const string IdentityDamaged = "AM0102";
    public const string IdentityExposed = "AM0103";
    public const string IdentityUnreadable = "AM0104";
    public const string InvitationDamaged = "AM0110";
    public const string InvitationExpired = "AM0111";
    public const string InvitationUsed = "AM0112";
    public const string TooManyInvitations = "AM0113";
    public const string NoAnswer = "AM0120";
    public const string UnusableKey = "AM0121";
}
