using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using AgentMesh.Errors;

namespace AgentMesh.Workers.Plugins;

/// <summary>
/// One running program that speaks JSON lines on stdin and stdout; documented in <c>docs/plugins.md</c>. When it ends, the calls under way fail and
/// the owner starts another.
/// </summary>
internal sealed class JsonLineProgram : IDisposable
{
    /// <summary>A longer line from the program ends it: it is not speaking the protocol.</summary>
    public const int LineCharsMax = 1024 * 1024;

    private readonly Process _process;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly ConcurrentDictionary<long, TaskCompletionSource<PluginAnswer>> _pending = new();
    private readonly string _name;
    private long _lastId;

    private JsonLineProgram(string name, Process process)
    {
        _name = name;
        _process = process;
        Ended = ReadAsync();
    }

    /// <summary>Completes, never faults, when the program has ended.</summary>
    public Task Ended { get; }

    /// <exception cref="MeshException">AM0608: it cannot be started.</exception>
    public static JsonLineProgram Start(string name, IReadOnlyList<string> words, string directory)
    {
        var start = new ProcessStartInfo(words[0]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = directory };
        foreach (string word in words.Skip(1))
        {
            start.ArgumentList.Add(word);
        }

        try
        {
            return new JsonLineProgram(name, Process.Start(start)!);
        }
        catch (Win32Exception error)
        {
            throw new MeshException(WorkerErrors.PluginFailed, $"the program of '{name}' cannot be started: {error.Message}", $"correct agentmesh.plugins.programs.{name}", error);
        }
    }

    public async Task<PluginAnswer> CallAsync(PluginRequest request, CancellationToken cancellationToken)
    {
        PluginRequest numbered = request with { Id = Interlocked.Increment(ref _lastId) };
        var answer = new TaskCompletionSource<PluginAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[numbered.Id] = answer;
        try
        {
            await WriteAsync(JsonSerializer.Serialize(numbered, PluginJson.Default.PluginRequest), cancellationToken).ConfigureAwait(false);
            if (Ended.IsCompleted)
            {
                throw Gone();
            }

            return await answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The pipe broke, or reading has found the end and has let the process go.
            throw Gone();
        }
        finally
        {
            _pending.TryRemove(numbered.Id, out _);
        }
    }

    public void Dispose()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception)
        {
            // Ended already.
        }

        _process.Dispose();
    }

    private async Task WriteAsync(string line, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken).ConfigureAwait(false);
            await _process.StandardInput.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            var reader = new BoundedLineReader(_process.StandardOutput, LineCharsMax);
            while (await reader.ReadAsync().ConfigureAwait(false) is { } line)
            {
                PluginAnswer? answer = Parse(line);
                if (answer is not null && _pending.TryRemove(answer.Id, out TaskCompletionSource<PluginAnswer>? waiting))
                {
                    waiting.TrySetResult(answer);
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The pipe broke: the program has ended.
        }

        Dispose();
        foreach (TaskCompletionSource<PluginAnswer> waiting in _pending.Values)
        {
            waiting.TrySetException(Gone());
        }
    }

    private static PluginAnswer? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, PluginJson.Default.PluginAnswer);
        }
        catch (JsonException)
        {
            // Programs print things: what is no answer is passed over.
            return null;
        }
    }

    private MeshException Gone() => new(WorkerErrors.PluginFailed, $"the program of '{_name}' ended before it answered", "look at what it printed to the node's log; the next call starts it again");
}
