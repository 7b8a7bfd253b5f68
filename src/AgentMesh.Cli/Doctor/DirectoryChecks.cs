namespace AgentMesh.Cli.Doctor;

/// <summary>What is known of the data directory.</summary>
/// <param name="Mode">Null where the system has no such modes.</param>
/// <param name="IsOwn">Belongs to the user who asks; null when that cannot be told.</param>
internal sealed record DirectoryFacts(string Path, bool Exists, UnixFileMode? Mode, bool? IsOwn);

/// <summary>The data directory and the disk under it.</summary>
internal static class DirectoryChecks
{
    public const long FreeBytesWarn = 1L << 30;
    public const long FreeBytesFail = 50L << 20;
    public static readonly TimeSpan FlushWarn = TimeSpan.FromMilliseconds(20);

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OfOthers = (UnixFileMode)0b111_111;

    public static DoctorCheck Access(DirectoryFacts facts)
    {
        const string name = "data directory";
        string path = Text.Quoted(facts.Path);
        if (!facts.Exists)
        {
            return DoctorCheck.Warn(name, $"{facts.Path} is not there yet", $"'agentmesh up --detach' makes it; --data-dir names another");
        }

        if (facts.IsOwn == false)
        {
            return DoctorCheck.Fail(name, $"{facts.Path} belongs to another user", $"sudo chown -R \"$(id -un)\" {path}, or name another with --data-dir");
        }

        if (facts.Mode is not { } mode)
        {
            return DoctorCheck.Ok(name, facts.Path);
        }

        if ((mode & Private) != Private)
        {
            return DoctorCheck.Fail(name, $"{facts.Path} has the mode {Text.Mode(mode)}: its owner may not use it", $"chmod 0700 {path}");
        }

        return (mode & OfOthers) == 0
            ? DoctorCheck.Ok(name, $"{facts.Path}, yours alone")
            : DoctorCheck.Warn(name, $"{facts.Path} has the mode {Text.Mode(mode)}: others may look at keys and output in it", $"chmod 0700 {path}");
    }

    public static DoctorCheck FreeSpace(long bytes, string path)
    {
        const string name = "free space";
        string finding = $"{Text.Size(bytes)} for {path}";
        string next = $"make room: 'du -sh {Text.Quoted(path)}/*' shows what is large; agentmesh.output.retained-max bounds the kept output";
        return bytes < FreeBytesFail ? DoctorCheck.Fail(name, $"only {finding}: nothing can be accepted when it is full", next)
            : bytes < FreeBytesWarn ? DoctorCheck.Warn(name, $"only {finding}", next)
            : DoctorCheck.Ok(name, finding);
    }

    /// <param name="times">Of each flush; the middle one counts.</param>
    public static DoctorCheck FlushTime(IReadOnlyList<TimeSpan> times)
    {
        const string name = "disk flush";
        TimeSpan median = times.Order().ElementAt(times.Count / 2);
        string finding = $"{Text.Milliseconds(median.TotalMilliseconds)} (median of {times.Count}; each accepted command waits for one or two)";
        return median > FlushWarn
            ? DoctorCheck.Warn(name, finding, "put the data directory on a quicker disk: agentmesh --data-dir /path/on/another/disk up")
            : DoctorCheck.Ok(name, finding);
    }

    public static DoctorCheck NotWritable(string reason) => DoctorCheck.Fail("disk flush", $"a file cannot be written there: {reason}", "check owner, mode and quota of the data directory: ls -ld, df -h, df -i");

    /// <param name="mode">Null when there is no such file.</param>
    public static DoctorCheck Socket(string path, UnixFileMode? mode)
    {
        const string name = "control socket";
        return mode switch
        {
            null => DoctorCheck.Ok(name, $"none at {path}: it is there while a node runs"),
            { } own when (own & OfOthers) == 0 => DoctorCheck.Ok(name, $"{path}, yours alone"),
            { } other => DoctorCheck.Fail(name, $"{path} has the mode {Text.Mode(other)}: others could give commands", $"chmod 0600 {Text.Quoted(path)}"),
        };
    }
}
