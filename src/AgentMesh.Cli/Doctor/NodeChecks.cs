using AgentMesh.Errors;
using AgentMesh.Node.Control;
using AgentMesh.Workers;

namespace AgentMesh.Cli.Doctor;

/// <summary>The node, and what it counted.</summary>
internal static class NodeChecks
{
    /// <summary>Below this number chance decides about a share.</summary>
    public const long DropsMin = 100;
    public const double DropShareWarn = 0.01;

    /// <summary>Children that have ended and wait to be collected are normal for moments.</summary>
    public const int ZombiesWarn = 10;

    public static DoctorCheck Running(StatusView status, string version)
    {
        const string name = "node";
        return Plain(status.Version) == Plain(version)
            ? DoctorCheck.Ok(name, $"{status.Name} runs as process {status.ProcessId}, version {status.Version}")
            : DoctorCheck.Warn(name, $"the node is version {status.Version} and this command line {Plain(version)}", "restart it: agentmesh down && agentmesh up --detach");
    }

    /// <param name="started">What the node read when it was started; empty for none, null where an older one does not tell.</param>
    /// <param name="here">What this command line reads, and with the same options a node that is started now; null for none.</param>
    /// <returns>Null where they are the same, or nothing can be said.</returns>
    public static DoctorCheck? SettingsFile(string? started, string? here)
    {
        const string name = "settings file";
        return started is null || started == (here ?? "") ? null
            : started.Length == 0 ? DoctorCheck.Warn(name, $"the node was started without one; {here} is what is read here, and it counts for nothing there", $"to have the node read it: agentmesh down, then agentmesh --config {Text.Quoted(here!)} up --detach")
            : DoctorCheck.Warn(
                name,
                $"the node was started with {started}; {(here is null ? "none" : here)} is read here",
                $"agentmesh --config {Text.Quoted(started)} doctor looks at that of the node; "
                    + (here is null ? "name it as well when the node is started again" : $"to have the node read the other: agentmesh down, then agentmesh --config {Text.Quoted(here)} up --detach"));
    }

    /// <param name="holder">The process that holds the data directory though it does not answer; null when nobody does.</param>
    public static DoctorCheck NotAnswering(MeshException problem, int? holder)
    {
        const string name = "node";
        return holder is { } process
            ? DoctorCheck.Fail(name, $"process {process} holds the data directory and does not answer", $"it may be starting: wait a moment; else look at the end of node.log in the data directory, and end it with 'kill {process}'", problem.Code)
            : problem.Code == CliErrors.NoNode
                ? DoctorCheck.Warn(name, "no node is running here", "agentmesh up --detach")
                : DoctorCheck.Of(name, problem);
    }

    public static DoctorCheck Durability(string level) => level.EndsWith("synchronous=FULL", StringComparison.Ordinal)
        ? DoctorCheck.Ok("durability", $"{level}: an acknowledged command is on disk")
        : DoctorCheck.Warn("durability", $"{level}: a power cut may take acknowledged commands", "agentmesh config shows the settings in force");

    public static DoctorCheck Pool(PoolView pool)
    {
        const string name = "pool";
        int alive = pool.Members.Count(member => member.LeaseLeftMs > 0);
        return pool.Problem is { } problem ? DoctorCheck.Fail(name, $"{pool.Name}: {problem.Message}", problem.Next ?? $"see docs/errors/{problem.Code}.md", problem.Code)
            : alive < 2 ? DoctorCheck.Warn(name, $"{pool.Name} in {pool.Database}: this device is the only member, so nobody goes on with its jobs when it is gone", "start another member with the same agentmesh.pool")
            : DoctorCheck.Ok(name, $"{pool.Name} in {pool.Database}: {alive} members, {pool.ShardsHeld} shards here, newest epoch {pool.EpochMax}");
    }

    public static DoctorCheck Packets(PacketCountersView packets, long udpDrops, IReadOnlyList<string> listening)
    {
        const string name = "packets";
        string capture = $"sudo tcpdump -ni any udp port {PortOf(listening)}";
        long damaged = packets.Malformed + packets.NotAuthentic;
        if (packets.SendFailures > Math.Max(DropsMin, packets.Sent * DropShareWarn))
        {
            return DoctorCheck.Warn(name, $"{packets.SendFailures} could not be sent, {packets.Sent} were", "look at the interfaces and the firewall: ip addr; sudo nft list ruleset");
        }

        if (udpDrops > Math.Max(DropsMin, packets.Received * DropShareWarn))
        {
            return DoctorCheck.Warn(name, $"the system dropped {udpDrops} because the receive buffer was full, {packets.Received} were received", NetworkChecks.RaiseBuffer);
        }

        if (damaged > Math.Max(DropsMin, packets.Received * DropShareWarn))
        {
            return DoctorCheck.Warn(name, $"{damaged} of {packets.Received} were damaged, forged or of another program, and dropped", $"see who sends them: {capture}");
        }

        if (packets.Strangers + packets.RefusedHandshakes > Math.Max(DropsMin, packets.Received * DropShareWarn))
        {
            return DoctorCheck.Warn(
                name, $"{packets.Strangers} handshakes of devices that are not admitted and {packets.RefusedHandshakes} refused ones were dropped", $"if one of yours should be let in, pair it with 'agentmesh invite'; see who tries: {capture}");
        }

        return DoctorCheck.Ok(name, $"{packets.Received} received, {packets.Sent} sent, {damaged} damaged, {packets.Strangers} of strangers, {udpDrops} dropped by the system");
    }

    public static DoctorCheck Streams(StreamCountersView streams)
    {
        const string name = "streams";
        return streams.Failed > 0 ? DoctorCheck.Warn(name, $"{streams.Failed} of {streams.Accepted} failed here, last with {streams.LastFailure ?? "an unknown error"}", "this may be a defect: report it with node.log of the data directory")
            : streams.Refused > 0 ? DoctorCheck.Warn(name, $"{streams.Refused} were refused because one device had too many open", "see which device is that busy: agentmesh job list; agentmesh peers")
            : streams.BadHeaders > DropsMin ? DoctorCheck.Warn(name, $"{streams.BadHeaders} had no valid header", "compare the versions of the devices: agentmesh --json peers")
            : DoctorCheck.Ok(name, $"{streams.Accepted} accepted, none failed or refused");
    }

    public static DoctorCheck Load(int running, int runningMax, int zombies)
    {
        const string name = "programs";
        return zombies > ZombiesWarn ? DoctorCheck.Warn(name, $"{zombies} processes of the node have ended and were not collected", "restart the node, and report it with node.log: agentmesh down && agentmesh up --detach")
            : running >= runningMax ? DoctorCheck.Warn(name, $"{running} attempts run, as many as agentmesh.jobs.running-max allows: further ones wait", "raise it in agentmesh.conf, or see what runs: agentmesh job list")
            : DoctorCheck.Ok(name, $"{running} of at most {runningMax} attempts run");
    }

    /// <summary>Without them programs are ended by their process group, and what they take is not known: no fault, unless they are to be limited.</summary>
    public static DoctorCheck Cgroups(CgroupsView view)
    {
        const string name = "cgroups";
        string controllers = view.Controllers.Count == 0 ? "nothing can be limited there" : $"{string.Join(", ", view.Controllers)} can be limited there{(view.Limits ? ", and are" : "")}";
        return view.Directory is not { } directory
            ? view.Limits
                ? DoctorCheck.Warn(name, $"programs are to be limited to what their jobs ask for, and have no cgroups: {view.WhyNot}", "let systemd delegate them (Delegate=yes), or set agentmesh.workers.cgroup-limits = off")
                : DoctorCheck.Ok(name, $"programs have none: {view.WhyNot}")
            : view is { Limits: true, Controllers.Count: 0 }
                ? DoctorCheck.Warn(name, $"programs have their own in {directory}; {controllers}", "start the node with DelegateSubgroup=agentmesh-node (docs/adr/0034), or set agentmesh.workers.cgroup-limits = off")
                : DoctorCheck.Ok(name, $"programs have their own in {directory}; {controllers}");
    }

    /// <summary>Nothing is amiss where no device has grants such as run:PROGRAM.</summary>
    public static DoctorCheck Confinement(ConfinementView view)
    {
        const string name = "confinement", whose = "programs that others start by run:PROGRAM";
        return !view.On ? DoctorCheck.Ok(name, $"agentmesh.grants.confine is off: {whose} can do what the user of the node can")
            : view.WhyNot is null ? DoctorCheck.Ok(name, $"{whose} are locked in (Landlock ABI {view.LandlockAbi}{(view.KeepsSignals ? "" : "; signals to other processes are not held back before Linux 6.12")})")
            : !view.IsUsed ? DoctorCheck.Ok(name, $"{whose} would be refused, because they cannot be locked in: {view.WhyNot}")
            : DoctorCheck.Warn(
                name,
                $"{whose} are refused, because they cannot be locked in: {view.WhyNot}",
                "use Linux 5.13 or later with Landlock, grant run instead, or set agentmesh.grants.confine = off",
                WorkerErrors.NotConfined);
    }

    /// <summary>Without the commit that a build may add.</summary>
    private static string Plain(string version) => version.Split('+')[0];

    private static string PortOf(IReadOnlyList<string> listening) => listening is [{ } first, ..] ? first[(first.LastIndexOf(':') + 1)..] : "14590";
}
