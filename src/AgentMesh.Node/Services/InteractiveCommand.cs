using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Control;

namespace AgentMesh.Node.Services;

/// <summary>What a request says of input and terminal, and what cannot be.</summary>
internal static class InteractiveCommand
{
    /// <exception cref="MeshException">AM0208, AM0624.</exception>
    public static (string? Selector, JobCommand Command) Apply(CommandRequest request, (string? Selector, JobCommand Command) read)
    {
        if (!request.Input)
        {
            return request.Terminal is null && !request.LoginShell ? read : throw new MeshException(NodeErrors.ControlRequest, "a terminal and a shell need input", "set input to true");
        }

        if (!read.Command.IsProgram)
        {
            throw new MeshException(NodeErrors.InputTargets, $"'{read.Command}' takes no input", "programs do: agentmesh run -i @peer -- PROGRAM ARGUMENTS");
        }

        if (request.Queue || request.Detach || request.After is { Count: > 0 } || request.IdempotencyKey is not null || request.Attempts is > 1 || request.Home is not null)
        {
            throw new MeshException(NodeErrors.InputTargets, "input is not kept: a program that reads it begins now, once, and with its sender", "leave --queue, --after, --detach, --key, --attempts and --home out");
        }

        JobTerminal? terminal = request.Terminal is { } wanted ? new JobTerminal(wanted.Name, wanted.Columns, wanted.Rows) : null;
        return terminal is null or { IsSane: true }
            ? (read.Selector, read.Command with { Input = new JobInput(null, terminal, request.LoginShell) })
            : throw new MeshException(NodeErrors.ControlRequest, "there is no such terminal", $"columns and rows are 1 to {JobTerminal.SizeMax}, the name has at most {JobTerminal.NameMax} characters");
    }

    /// <exception cref="MeshException">AM0624: input for several programs.</exception>
    public static void CheckTargets(JobCommand command, int targets)
    {
        if (command.Input is not null && targets != 1)
        {
            throw new MeshException(NodeErrors.InputTargets, $"input goes to one device, not to {targets}", "name one, or take any of several with @any:LABEL");
        }
    }
}
