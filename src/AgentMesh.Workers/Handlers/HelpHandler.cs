using AgentMesh.Errors;

namespace AgentMesh.Workers.Handlers;

internal sealed class HelpHandler(HandlerRegistry registry) : ICommandHandler
{
    public string Name => "help";

    public string Summary => "list the commands of a device, or explain one: help calc";

    public string Help => "help [COMMAND]";

    public ValueTask<CommandResult> ExecuteAsync(CommandCall call, CancellationToken cancellationToken)
    {
        if (call.Arguments.Length == 0)
        {
            IEnumerable<string> lines = registry.All
                .Select(handler => $"{handler.Name,-16}{handler.Summary}")
                .Append($"{"run",-16}start a program, where the device allows it: run -- PROGRAM ARGUMENTS");
            return ValueTask.FromResult(new CommandResult(string.Join('\n', lines)));
        }

        if (call.Arguments == "run")
        {
            return ValueTask.FromResult(new CommandResult(
                "run -- PROGRAM ARGUMENTS\n  starts PROGRAM in a process group of its own, without a shell; its output and exit code are kept.\n" +
                "  The device must have granted it: agentmesh grant CALLER run"));
        }

        return registry.TryFind(call.Arguments, out ICommandHandler? handler, out _)
            ? ValueTask.FromResult(new CommandResult(handler.Help))
            : throw new MeshException(WorkerErrors.UnknownCommand, $"there is no command '{call.Arguments}' to explain", "'help' lists them");
    }
}
