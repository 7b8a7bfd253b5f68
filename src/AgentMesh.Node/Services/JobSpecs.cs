using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Services;

/// <summary>From what people write to the specification of a job, with the settings of this node for what they leave out.</summary>
internal sealed class JobSpecs(NodeSettings settings, Caller caller)
{
    public Caller Caller => caller;

    /// <param name="arguments">A program and its arguments; with them the line is not looked at.</param>
    /// <exception cref="MeshException">AM0301: there is no command. AM0319: too long.</exception>
    public (string? Selector, JobCommand Command) Read(string? line, string? target, IReadOnlyList<string>? arguments)
    {
        if (arguments is { Count: > 0 } words)
        {
            if (words.Sum(word => word.Length) > JobCommand.BytesMax / 2)
            {
                throw new MeshException(MeshErrors.TooLarge, "the arguments are too long to travel in one message", "put long input into a file that the program reads");
            }

            return (target?.TrimStart('@'), JobCommand.Program(words));
        }

        CommandLine read = CommandLine.Parse(line ?? "");
        string? selector = read.Selector ?? target?.TrimStart('@');
        return (selector, Aliases.TryReadProgram(read.Command, out ImmutableArray<string> program)
            ? JobCommand.Program(program)
            : JobCommand.Handler(read.Command, Aliases.Reachable(read.Command, settings.Aliases)));
    }

    public JobSpec Of(JobCommand command, NamedDevice target, string? selector, int? attempts, double? attemptTimeoutMs)
    {
        JobSettings job = settings.Jobs;
        var retry = new RetryPolicy(attempts ?? job.Attempts, job.BackoffMin, job.BackoffMax, job.Jitter, RetryExitCodes: false, [], FailWhenUsedUp: !job.PauseWhenUsedUp);
        if (command.Input is not null || command.PipeTo is not null)
        {
            // What it reads and writes is kept nowhere: there is nothing to try again with.
            retry = retry with { Attempts = 1, FailWhenUsedUp = true };
        }

        TimeSpan? attemptTimeout = attemptTimeoutMs is { } ms ? TimeSpan.FromMilliseconds(ms) : job.AttemptTimeout;
        return new JobSpec(
            command,
            new JobTarget(target.Id, selector is null ? "" : "@" + selector, target.Name),
            caller,
            retry,
            new JobTimeouts(job.QueueTimeout, attemptTimeout, job.TotalTimeout, job.HeartbeatTimeout),
            IdempotencyKey: null,
            QueueWhenOffline: false);
    }
}
