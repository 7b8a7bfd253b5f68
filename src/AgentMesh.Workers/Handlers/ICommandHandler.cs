using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Workers.Handlers;

/// <summary>
/// A command that a device answers itself, without a program: the counterpart of KAI's <c>registerCommandProcessor</c>. Handlers of a configured
/// assembly implement it with a parameterless constructor. Called concurrently; must be thread-safe.
/// </summary>
public interface ICommandHandler
{
    /// <summary>What is typed: one word, or two with one space (<c>system status</c>). Lower case.</summary>
    string Name { get; }

    /// <summary>One line for <c>help</c>.</summary>
    string Summary { get; }

    /// <summary>What <c>help NAME</c> prints.</summary>
    string Help { get; }

    /// <exception cref="MeshException">What the caller is told: code, text and next step. Anything else is reported as a defect of the handler.</exception>
    ValueTask<CommandResult> ExecuteAsync(CommandCall call, CancellationToken cancellationToken);
}

/// <param name="Arguments">Everything after the name, trimmed at both ends, as typed.</param>
/// <param name="Caller">The device that asks; the own one for a local command.</param>
/// <param name="Deadline">When the caller gives up; null for never.</param>
public sealed record CommandCall(string Arguments, DeviceId Caller, string CallerName, DateTimeOffset? Deadline);

/// <param name="Text">The recorded result, at most <see cref="TextBytesMax"/> bytes of UTF-8.</param>
/// <param name="ExitCode">0 for success, as of a program.</param>
public sealed record CommandResult(string Text, int ExitCode = 0)
{
    public const int TextBytesMax = 64 * 1024;
}
