namespace AgentMesh.Node;

/// <summary>Codes of configuration, data directory and control API. Each has a page in <c>docs/errors</c>.</summary>
public static class NodeErrors
{
    /// <summary>Nothing failed: who was let in elsewhere is out here.</summary>
    public const string IntroductionRefused = "AM0175";

    public const string InvitationsNotKept = "AM0181";
    public const string InvitationsIgnored = "AM0182";
    public const string ConfigurationSyntax = "AM0201";
    public const string ConfigurationUnknownKey = "AM0202";
    public const string ConfigurationValue = "AM0203";
    public const string ConfigurationFileMissing = "AM0204";
    public const string DataDirectoryInUse = "AM0205";
    public const string DataDirectoryUnusable = "AM0206";
    public const string ControlRequest = "AM0208";
    public const string NodeStarting = "AM0209";
    public const string ListenFailed = "AM0210";
    public const string NoPing = "AM0211";
    public const string SettingNeedsRestart = "AM0232";
    public const string InputHeld = "AM0227";
    public const string InputRefused = "AM0622";
    public const string InputOver = "AM0623";
    public const string InputTargets = "AM0624";
}
