using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>Sends one command and shows what comes back: results on stdout, everything else on stderr.</summary>
internal sealed class CommandRun(ControlClient client, Terminal terminal)
{
    /// <summary>The exit code where the mesh, and not the command, failed.</summary>
    public const int MeshFailure = 255;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly List<JobView> _ended = [];
    private readonly Dictionary<string, string> _addresses = new(StringComparer.Ordinal);
    private readonly PrefixedLines _lines = new(terminal.Out, terminal.Error);
    private readonly List<string> _skipped = [];
    private readonly List<string> _failed = [];
    private readonly HashSet<string> _targets = new(StringComparer.Ordinal);
    private readonly ForegroundProgress? _progress = terminal.Live is { } live ? new ForegroundProgress(live, terminal.HasColours, TimeProvider.System) : null;
    private int _accepted;
    private bool _many;

    /// <summary>Shows a local result as <c>Result: 3</c>, as the console of KAI NetworkPeer does.</summary>
    public bool ConsoleStyle { get; init; }

    /// <summary>Says nothing of an exit code: on a terminal the program has said it all.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>Shows how far jobs are, where there is somebody to see it.</summary>
    public bool ShowsProgress { get; init; } = true;

    /// <summary>Called with each job that was accepted.</summary>
    public Action<JobView>? Accepted { get; init; }

    /// <summary>Called before anything is said of an end.</summary>
    public Action? Ending { get; init; }

    /// <returns>The exit code: the command's own, the first that is not 0 of several, 255 for a failure of the mesh.</returns>
    public async Task<int> ExecuteAsync(CommandRequest request, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task progress = _progress is { } shown && ShowsProgress && !request.Detach ? DrawAsync(shown, over.Token) : Task.CompletedTask;
        try
        {
            await FollowAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await progress.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _progress?.Erase();
        }

        if (_many && !terminal.Json)
        {
            Summarise(request);
        }

        return ExitCode();
    }

    private async Task FollowAsync(CommandRequest request, CancellationToken cancellationToken)
    {
        await foreach (CommandEvent happened in client.RunAsync(request, cancellationToken).ConfigureAwait(false))
        {
            if (terminal.Json)
            {
                terminal.PrintJson(happened, ControlJson.Default.CommandEvent);
            }

            if (_progress is null)
            {
                Show(happened, request);
            }
            else
            {
                _progress.Write(() => Show(happened, request), EndsLine(happened));
            }
        }
    }

    /// <summary>Whether the terminal is at the beginning of a line after it; null where nothing was written there.</summary>
    private bool? EndsLine(CommandEvent happened) => happened.Output switch
    {
        // Lines with the name of their device are whole.
        null => true,
        _ when _many => true,
        { Stream: "stdout" } when Console.IsOutputRedirected => null,
        { Data.Span: var data } => data is [.., (byte)'\n'],
    };

    private async Task DrawAsync(ForegroundProgress progress, CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(LookEvery, TimeProvider.System, cancel).ConfigureAwait(false);
            try
            {
                foreach (JobView job in await Task.WhenAll(progress.Wanted.Select(id => client.GetAsync($"v1/job?id={Uri.EscapeDataString(id)}", ControlJson.Default.JobView, cancel))).ConfigureAwait(false))
                {
                    progress.Look(job);
                }
            }
            catch (MeshException)
            {
                // What is wrong with the node the events of the command say.
            }

            progress.Draw();
        }
    }

    private void Show(CommandEvent happened, CommandRequest request)
    {
        if (happened.Target is { } named)
        {
            _targets.Add(named);
        }

        switch (happened.Type)
        {
            case "accepted":
                _accepted++;
                Accepted?.Invoke(happened.Job!);
                _progress?.Begin(happened.Job!);
                _addresses[happened.Job!.Id] = happened.Address ?? happened.Job.TargetName;
                if (request.Detach && !terminal.Json)
                {
                    terminal.Out.WriteLine(happened.Job.ShortId);
                }

                break;
            case "targets":
                _many = true;
                break;
            case "skipped":
                _skipped.Add(happened.Target!);
                if (!terminal.Json)
                {
                    terminal.Note($"{happened.Target}: skipped: {happened.Problem!.Message}");
                }

                break;
            case "output" when !terminal.Json:
                Write(happened.Output!, happened.Target);
                break;
            case "ended":
                Ending?.Invoke();
                _progress?.End(happened.Job!);
                _ended.Add(happened.Job!);
                _lines.End(happened.Target!);
                if (!terminal.Json)
                {
                    ShowEnd(happened.Job!, happened.Alias);
                }

                break;
            case "problem":
                Ending?.Invoke();
                _failed.Add(happened.Target ?? "");
                _lines.End(happened.Target ?? "");
                if (!terminal.Json)
                {
                    ProblemView problem = happened.Problem!;
                    string where = _many && happened.Target is not null ? $"{happened.Target}: " : "";
                    terminal.Problem(new MeshException(problem.Code, where + problem.Message, problem.Next));
                }

                break;
        }
    }

    private void Write(OutputView output, string? target)
    {
        if (!_many)
        {
            // Bytes as they are: the output of a program need not be text.
            Stream raw = output.Stream == "stderr" ? terminal.RawError : terminal.RawOut;
            terminal.Out.Flush();
            raw.Write(output.Data.Span);
            raw.Flush();
            return;
        }

        _lines.Write(target!, output.Stream == "stderr", output.Data.Span);
    }

    /// <summary>How it went as a whole, in one line.</summary>
    private void Summarise(CommandRequest request)
    {
        string[] failed = [.. _failed, .. _ended.Where(job => job.State != "completed").Select(job => job.ExitCode is > 0 and { } code ? $"{job.TargetName} (exit code {code})" : $"{job.TargetName} ({job.State})")];
        string[] parts =
        [
            request.Detach ? $"{_accepted} accepted" : $"{_ended.Count(job => job.State == "completed")} succeeded",
            .. failed.Length > 0 ? (string[])[$"{failed.Length} failed: {string.Join(", ", failed)}"] : [],
            .. _skipped.Count > 0 ? (string[])[$"{_skipped.Count} skipped: {string.Join(", ", _skipped)}"] : [],
        ];
        terminal.Note($"{_targets.Count} {(_targets.Count == 1 ? "device" : "devices")}: {string.Join("; ", parts)}");
    }

    private void ShowEnd(JobView job, string? alias)
    {
        if (job.State == "completed")
        {
            if (job.Result is not null)
            {
                terminal.Out.WriteLine(Sentence(job, alias));
            }

            return;
        }

        string reason = job.Problem is { } problem ? $"{problem.Code}: {problem.Message}" : job.Reason ?? job.State;
        bool programFailed = job.ExitCode is > 0 && (job.Problem is null || job.Problem.Code == MeshErrors.ExitCode);
        if (!programFailed)
        {
            terminal.Error.WriteLine(_many ? $"{job.TargetName}: {reason}" : $"agentmesh: {reason}");
            if (job.Problem?.Next is { Length: > 0 } next)
            {
                terminal.Error.WriteLine($"  next: {next}");
            }
            else if (job.State == "paused")
            {
                terminal.Error.WriteLine($"  next: look with 'agentmesh job show {job.ShortId}', then 'agentmesh job retry {job.ShortId}' or 'job cancel'");
            }
        }
        else if (!IsQuiet)
        {
            terminal.Error.WriteLine($"agentmesh: {job.TargetName}: exit code {job.ExitCode}");
        }
    }

    private string Sentence(JobView job, string? alias)
    {
        if (alias is not null)
        {
            return $"Result from {_addresses.GetValueOrDefault(job.Id, job.TargetName)} for command '{alias}': {job.Result}";
        }

        if (_many)
        {
            return job.Result!.Contains('\n', StringComparison.Ordinal) ? $"{job.TargetName}:\n{job.Result}" : $"{job.TargetName}: {job.Result}";
        }

        return ConsoleStyle ? $"Result: {job.Result}" : job.Result!;
    }

    private int ExitCode()
    {
        if (_failed.Count > 0)
        {
            return MeshFailure;
        }

        foreach (JobView job in _ended)
        {
            int code = CodeOf(job);
            if (code != 0)
            {
                return code;
            }
        }

        return 0;
    }

    private static int CodeOf(JobView job) => job.State switch
    {
        "completed" => 0,
        _ when job.ExitCode is > 0 and { } code => code,
        _ => MeshFailure,
    };
}
