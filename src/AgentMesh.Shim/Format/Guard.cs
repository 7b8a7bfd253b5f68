namespace AgentMesh.Shim.Format;

/// <summary>
/// The shell that leads the group of a program. It holds one end of a pipe (its stdin) whose other end is the supervisor's: when that dies, however
/// it dies, the pipe closes and the guard kills the group. So nothing is orphaned, without asking for a capability or a daemon.
/// </summary>
internal static class Guard
{
    // The watcher reads the pipe, which never carries a byte. The guard survives SIGTERM to the group, to pass on the exit code; because a
    // trap with a command is not inherited, the program gets the default action. What the guard itself says, such as "Terminated", is not the
    // program's and goes nowhere; a shell says it to where the command it ran says things, hence the shell of its own around the program.
    public const string Script =
        "exec 3<&0 4>&2 </dev/null 2>/dev/null; trap : TERM INT HUP; " +
        "(trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0) >/dev/null 4>&- & watcher=$!; " +
        "(exec \"$@\" 2>&4 3<&- 4>&-); code=$?; kill -KILL $watcher; exit $code";

    /// <summary>
    /// The same for a program that gets input: its first argument is a named pipe. Only the program opens it, not the guard, so that its writer sees when the
    /// program has closed it.
    /// </summary>
    public const string ScriptWithInput =
        "input=$1; shift; exec 3<&0 4>&2 </dev/null 2>/dev/null; trap : TERM INT HUP; " +
        "(trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0) >/dev/null 4>&- & watcher=$!; " +
        "(exec \"$@\" <\"$input\" 2>&4 3<&- 4>&-); code=$?; kill -KILL $watcher; exit $code";

    /// <summary>
    /// The same for a program that gets a terminal, which is file 5: it runs in a session of its own that the terminal controls, led by <see cref="Leader"/>, the
    /// first argument. <c>setsid</c> does not fork, because the shell that executes it leads no group: so the guard has its exit code.
    /// </summary>
    public const string ScriptWithTerminal =
        "leader=$1; shift; exec 3<&0 4>&2 </dev/null 2>/dev/null; trap : TERM INT HUP; " +
        "(trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0) >/dev/null 4>&- 5<&- 6>&- 7<&- & watcher=$!; " +
        "(exec setsid -c /bin/sh -c \"$leader\" agentmesh-terminal \"$@\" <&5 >&5 2>&5 3<&- 4>&- 5<&-); code=$?; kill -KILL $watcher; exit $code";

    /// <summary>
    /// When the leader of a session ends, the kernel hangs its terminal up and drops what was written there and not read. So it outlives the program: it says that
    /// it is done (file 6), and ends when the supervisor has read everything (file 7).
    /// </summary>
    public const string Leader = "trap : TERM INT QUIT HUP; \"$@\" 6>&- 7<&-; code=$?; echo >&6; read -r _ <&7; exit $code";

    /// <summary>Names the directory of the program's cgroup, where its node has made one.</summary>
    public const string CgroupVariable = "AGENTMESH_CGROUP";

    /// <summary>Before each of the scripts: the guard goes there, and so everything that it starts. A cgroup that does not take it is as none.</summary>
    public const string EnterCgroup = "{ echo $$ >\"$" + CgroupVariable + "/cgroup.procs\"; } 2>/dev/null; ";

    public const string Name = "agentmesh-guard";
}
