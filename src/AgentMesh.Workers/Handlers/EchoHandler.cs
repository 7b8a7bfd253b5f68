namespace AgentMesh.Workers.Handlers;

internal sealed class EchoHandler : ICommandHandler
{
    public string Name => "echo";

    public string Summary => "answer with the same text: echo hello";

    public string Help => "echo TEXT\n  answers with TEXT as it is; good to see whether a device answers";

    public ValueTask<CommandResult> ExecuteAsync(CommandCall call, CancellationToken cancellationToken) => ValueTask.FromResult(new CommandResult(call.Arguments));
}
