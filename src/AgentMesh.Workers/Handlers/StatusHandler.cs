namespace AgentMesh.Workers.Handlers;

/// <summary>Real measurements of the device; what cannot be measured is printed as unknown, never invented.</summary>
internal sealed class StatusHandler(string name, DeviceFacts facts) : ICommandHandler
{
    public string Name => name;

    public string Summary => "load, memory and uptime of the device";

    public string Help => $"{name}\n  name, system, uptime, processors, load, memory, disk and the node's own memory, measured at this moment";

    public ValueTask<CommandResult> ExecuteAsync(CommandCall call, CancellationToken cancellationToken) => ValueTask.FromResult(new CommandResult(facts.Measure()));
}
