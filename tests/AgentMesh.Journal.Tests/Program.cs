using AgentMesh.Journal.Tests.Crash;

// The crash tests start this assembly again with these verbs and kill it.
return args switch
{
    ["write-events", string path] => await Victim.WriteEvents(path),
    ["write-output", string path] => await Victim.WriteOutput(path),
    ["hold", string path] => await Victim.Hold(path),
    ["pool-member", string connection] => await Victim.WriteAsMember(connection),
    ["measure", string path] => await Victim.Measure(path),
    _ => 2,
};
