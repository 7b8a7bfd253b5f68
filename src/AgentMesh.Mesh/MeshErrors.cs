namespace AgentMesh.Mesh;

/// <summary>Codes of what goes wrong with commands, jobs, peers, grants and the registry. Each has a page in <c>docs/errors</c>.</summary>
public static class MeshErrors
{
    public const string Syntax = "AM0301";
    public const string UnknownPeer = "AM0302";
    public const string AmbiguousPeer = "AM0303";
    public const string PeerOffline = "AM0304";
    public const string AliasLoop = "AM0305";
    public const string NotAllowed = "AM0306";
    public const string UnknownJob = "AM0307";
    public const string BadJobId = "AM0308";
    public const string AmbiguousJob = "AM0309";
    public const string HomeUnreachable = "AM0310";
    public const string NotInThisState = "AM0311";
    public const string Busy = "AM0312";
    public const string RetriesUsedUp = "AM0313";
    public const string QueueTimeout = "AM0314";
    public const string TotalTimeout = "AM0315";
    public const string AttemptLost = "AM0316";
    public const string CancelUnconfirmed = "AM0317";
    public const string NotYours = "AM0318";
    public const string TooLarge = "AM0319";
    public const string NoAnswer = "AM0320";
    public const string NotStored = "AM0321";
    public const string KeyReused = "AM0322";
    public const string ExitCode = "AM0323";
    public const string BadBackfill = "AM0324";
    public const string RegistryInvalid = "AM0330";
    public const string RegistryFile = "AM0331";
    public const string BadGrant = "AM0332";
    public const string BadName = "AM0333";
    public const string CronSyntax = "AM0340";
    public const string CronNever = "AM0341";
    public const string UnknownCron = "AM0342";
    public const string CronExists = "AM0343";
    public const string BadCronName = "AM0344";
    public const string BadZone = "AM0345";
    public const string TooManyCrons = "AM0346";
    public const string CronPaused = "AM0347";
    public const string BadJitter = "AM0348";
    public const string CronFile = "AM0349";
    public const string SelectorSyntax = "AM0350";
    public const string UnknownLabel = "AM0351";
    public const string NobodyOnline = "AM0352";
    public const string ArraySyntax = "AM0353";
    public const string ParameterFile = "AM0354";
    public const string UnknownPlaceholder = "AM0355";
    public const string UnknownArray = "AM0356";
    public const string UnknownElement = "AM0357";
    public const string ArrayTooLarge = "AM0358";
    public const string BadDependency = "AM0359";
    public const string DependencyNotMet = "AM0360";
    public const string PipeSyntax = "AM0361";
    public const string PipeDeviceAway = "AM0362";
    public const string PipeBroken = "AM0363";
    public const string OutputDenied = "AM0364";
    public const string OutputLost = "AM0365";
    public const string TooManyKeys = "AM0367";
    public const string KeyOutOfUse = "AM0368";
    public const string BadProgramPlace = "AM0369";
    public const string WorkflowSyntax = "AM0370";
    public const string WorkflowKey = "AM0371";
    public const string WorkflowCycle = "AM0372";
    public const string UnknownStep = "AM0373";
    public const string BadNeed = "AM0374";
    public const string UnknownVariable = "AM0375";
    public const string UnknownWorkflow = "AM0376";
    public const string WorkflowTooLarge = "AM0377";
    public const string StepFailed = "AM0378";
    public const string NoValue = "AM0379";
    public const string BadDuration = "AM0380";
    public const string WorkflowPaused = "AM0381";
    public const string BadResource = "AM0390";
    public const string BadPriority = "AM0391";
    public const string BadGroupName = "AM0392";
    public const string ImpossibleNeeds = "AM0393";
    public const string UnknownGroup = "AM0394";
    public const string BadGroupLimit = "AM0395";

    /// <summary>Not a name for a pool.</summary>
    public const string BadPoolName = "AM0455";

    /// <summary>This device is no member of the pool.</summary>
    public const string UnknownPool = "AM0456";

    /// <summary>A job, array or workflow that has ended and was removed since.</summary>
    public const string Removed = "AM0457";

    /// <summary>A job that another was to begin after has ended and was removed: how it ended is not known.</summary>
    public const string DependencyRemoved = "AM0458";
    public const string BadNotifyUrl = "AM0632";
    public const string NotifyNotAllowed = "AM0633";
    public const string NotifyRefused = "AM0634";
    public const string NotifyUsedUp = "AM0635";
    public const string NotifyFailed = "AM0636";
    public const string NotifyWithdrawn = "AM0637";
    public const string NotifySecret = "AM0638";
    public const string NotifyNotPossible = "AM0639";
}
