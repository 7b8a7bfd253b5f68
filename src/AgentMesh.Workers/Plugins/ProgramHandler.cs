using AgentMesh.Errors;
using AgentMesh.Workers.Handlers;

namespace AgentMesh.Workers.Plugins;

/// <summary>A command that a program of the user's answers, started at the first call and again after it ended.</summary>
public sealed class ProgramHandler(string name, IReadOnlyList<string> words, string directory) : ICommandHandler, IDisposable
{
    private readonly Lock _gate = new();
    private JsonLineProgram? _program;
    private bool _isDisposed;

    public string Name => name;

    public string Summary => $"answered by {Path.GetFileName(words[0])}";

    public string Help => $"{name} [ARGUMENTS]\n  answered by the program {string.Join(' ', words)}";

    public async ValueTask<CommandResult> ExecuteAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var request = new PluginRequest(0, name, call.Arguments, call.Caller.ToString(), call.CallerName, call.Deadline);
        PluginAnswer answer = await Running().CallAsync(request, cancellationToken).ConfigureAwait(false);
        return answer.Error is null
            ? new CommandResult(answer.Result ?? "", answer.ExitCode)
            : throw new MeshException(WorkerErrors.PluginFailed, answer.Error, answer.Next);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _program?.Dispose();
        }
    }

    private JsonLineProgram Running()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_program is null || _program.Ended.IsCompleted)
            {
                _program = JsonLineProgram.Start(name, words, directory);
            }

            return _program;
        }
    }
}
