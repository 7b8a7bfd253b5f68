namespace AgentMesh.Cli;

/// <summary>Codes that only the command line gives. Each has a page in <c>docs/errors</c>.</summary>
internal static class CliErrors
{
    public const string NotConfirmed = "AM0141";
    public const string SecUnreadable = "AM0142";
    public const string SecMalformed = "AM0143";
    public const string SecPassphrase = "AM0144";
    public const string SecExpired = "AM0145";
    public const string SecUsed = "AM0146";
    public const string SecNotWritten = "AM0147";
    public const string NoPassphrase = "AM0148";
    public const string SecUnsupported = "AM0149";
    public const string NoNode = "AM0220";
    public const string ConnectionLost = "AM0221";
    public const string Usage = "AM0222";
    public const string StartFailed = "AM0223";
    public const string TimedOut = "AM0224";
    public const string Script = "AM0225";
    public const string KeptTooMuch = "AM0226";
    public const string NothingToAttach = "AM0228";
    public const string NotDetached = "AM0229";
    public const string NotFromAfar = Node.Administration.AdministrationErrors.NotFromAfar;
    public const string WayLost = Node.Administration.AdministrationErrors.WayLost;
    public const string NoTerminal = "AM0625";
}
