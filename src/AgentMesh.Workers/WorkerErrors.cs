namespace AgentMesh.Workers;

/// <summary>Codes of what goes wrong on the executing device. Each has a page in <c>docs/errors</c>.</summary>
public static class WorkerErrors
{
    public const string Expression = "AM0601";
    public const string ExpressionTooLarge = "AM0602";
    public const string UnknownCommand = "AM0603";
    public const string Arguments = "AM0604";
    public const string ProgramNotStarted = "AM0605";
    public const string ExitCode = "AM0606";
    public const string AttemptTimedOut = "AM0607";
    public const string PluginFailed = "AM0608";
    public const string Busy = "AM0609";
    public const string SpoolFailed = "AM0610";
    public const string ResultTooLarge = "AM0611";
    public const string HandlerFailed = "AM0612";
    public const string ShimLost = "AM0613";
    public const string ShimNotStarted = "AM0614";
    public const string LeaseOver = "AM0615";
    public const string TooFewResources = "AM0630";
    public const string TooMany = "AM0631";
    public const string NoCgroups = "AM0626";
    public const string OutOfMemory = "AM0627";
    public const string NoDirectory = "AM0628";
    public const string NoInput = "AM0620";
    public const string InputLost = "AM0621";

    /// <summary>Beside the range of this project: these belong to the grants.</summary>
    public const string NotConfined = "AM0177", GrantReachesNode = "AM0178";
}
