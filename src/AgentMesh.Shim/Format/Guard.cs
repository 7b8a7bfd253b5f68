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

    public const string Name = "agentmesh-guard";
}
