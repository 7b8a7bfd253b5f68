using System.Globalization;
using AgentMesh.Node.Control;
using Soak.Checks;
using Soak.Nodes;
using Soak.Planning;
using Soak.Running;

namespace Soak;

/// <summary>One run: five nodes, work and faults, then quiet, then every check.</summary>
internal sealed class SoakRun(SoakOptions options, TextWriter output, CancellationToken cancel)
{
    private static readonly TimeSpan SettledWithin = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan RetriedWithin = TimeSpan.FromSeconds(60);

    private readonly SoakPlan _plan = SoakPlan.Make(options);
    private readonly string _folder = Directory.CreateTempSubdirectory("agentmesh-soak-").FullName;
    private readonly History _history = new();
    private readonly Board _board = new();
    private readonly RunClock _clock = new();
    private SoakNode[] _nodes = [];
    private HubNetwork? _network;

    private string MarksFolder => Path.Combine(_folder, "marks");

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync()
    {
        Say($"seed {options.Seed}, {options.Minutes} min, {_plan.Faults.Count} faults and {_plan.Work.Count} commands and {_plan.Undertakings.Count} arrays, pipes, workflows and schedules planned; n{_plan.Survivor} is never ended; {_folder}");
        bool keep = options.Keep;
        try
        {
            await StartAsync();
            await LoadAsync();
            await SettleAndCheckAsync();
            keep |= _board.Violations.Count > 0;
        }
        catch (Exception)
        {
            keep = true;
            throw;
        }
        finally
        {
            foreach (SoakNode node in _nodes)
            {
                await node.EndWithProgramsAsync();
                await node.KillAsync();
            }

            _network?.Dispose();
            if (keep)
            {
                Say($"kept: {_folder}");
            }
            else
            {
                Directory.Delete(_folder, recursive: true);
            }
        }

        new SoakReport(options, _plan, _history, _board).Write(output);
        return _board.Violations.Count == 0 ? 0 : 1;
    }

    private async Task StartAsync()
    {
        if (options.Network)
        {
            _network = HubNetwork.TryLay(_plan.Nodes, out string whyNot);
            Need(_network is null ? $"no network of namespaces: {whyNot}" : null);
        }

        _nodes = [.. Enumerable.Range(0, _plan.Nodes).Select(index => new SoakNode(index, _folder, _network))];
        string?[] problems = await Task.WhenAll(_nodes.Select(node => node.StartAsync()));
        Need(problems.FirstOrDefault(problem => problem is not null));
        foreach (SoakNode guest in _nodes[1..])
        {
            Ran invited = await _nodes[0].RunAsync(TimeSpan.FromSeconds(30), "invite", "--link");
            Ran joined = await guest.RunAsync(TimeSpan.FromSeconds(30), "join", invited.Out.Trim());
            Need(joined.Code == 0 ? null : $"{guest.Name} did not join: {invited} {joined}");
        }

        var checks = new MeshChecks(_nodes, Tag);
        await checks.TogetherAsync(_board);
        foreach (SoakNode node in _nodes)
        {
            foreach (SoakNode other in _nodes.Where(other => other != node))
            {
                Ran granted = await node.RunAsync(TimeSpan.FromSeconds(30), "grant", other.Name, "run");
                Need(granted.Code == 0 ? null : $"{node.Name} does not grant: {granted}");
            }
        }

        foreach (SoakNode node in _nodes)
        {
            await node.Client.PostAsync("v1/groups", new GroupRequest(Undertakings.Group, Undertakings.GroupMax), ControlJson.Default.GroupRequest, ControlJson.Default.GroupView, TimeSpan.FromSeconds(30));
        }

        Directory.CreateDirectory(MarksFolder);
        Say("five nodes are one mesh");
    }

    private async Task LoadAsync()
    {
        // The plan counts from here.
        var clock = new RunClock();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task memory = new MemoryWatch(_nodes, clock, _history).RunAsync(over.Token);
        var workload = new Workload(_plan, _nodes, clock, _history, MarksFolder);
        Task undertaking = new Undertakings(_plan, _nodes, clock, _history, MarksFolder).RunAsync(cancel);
        var faults = new FaultInjector(_plan, _nodes, _network, clock, _history, text => Say(text));
        Task working = workload.RunAsync(cancel);
        await Task.WhenAll(faults.RunAsync(cancel), clock.UntilAsync(_plan.Length, cancel));
        Say($"no more faults; {workload.Open} commands are still open");
        await new MeshChecks(_nodes, Tag).TogetherAsync(_board);
        await working;
        await undertaking;
        Say("every command is answered");
        await over.CancelAsync();
        await memory;
    }

    private async Task SettleAndCheckAsync()
    {
        IReadOnlyList<KnownJob> jobs = KnownJob.Of(_history);
        Dictionary<string, JobView> finals = await RestAsync(jobs, SettledWithin);
        Say($"{jobs.Count} jobs: {string.Join(", ", finals.Values.GroupBy(job => job.State).Select(state => $"{state.Count()} {state.Key}"))}");
        new SubmissionChecks(_history, _nodes.Length).Run(_board);
        var jobChecks = new JobChecks(_history);
        var outputs = new OutputChecks(_nodes, new Random(options.Seed));
        foreach (KnownJob job in jobs)
        {
            JobView? final = finals.GetValueOrDefault(job.Id);
            jobChecks.Run(_board, job, final);
            if (job.Item.Lines is not null && final is not null)
            {
                await outputs.RunAsync(_board, job, final);
            }
        }

        ReadingChecks.Run(_board, _history, finals);
        MemoryChecks.Run(_board, _history);
        foreach (FaultRun fault in _history.Faults)
        {
            _board.Check("every node came up again after its fault", fault.Problem is null, () => $"{fault.Fault}: {fault.Problem}");
        }

        await RetryPausedAsync(jobs, finals);
        await new UndertakingChecks(_nodes, _history, _board).RunAsync();
        MarkChecks.Run(_board, MarksFolder, Undertakings.Group, Undertakings.GroupMax);
        await new MeshChecks(_nodes, Tag).CleanAsync(_board);
        await EndAsync(jobs);
    }

    /// <summary>The final state of each job, once it is at rest or patience is over; a job that its home does not know is missing.</summary>
    private async Task<Dictionary<string, JobView>> RestAsync(IReadOnlyList<KnownJob> jobs, TimeSpan within)
    {
        var finals = new Dictionary<string, JobView>(StringComparer.Ordinal);
        long began = TimeProvider.System.GetTimestamp();
        foreach (KnownJob job in jobs)
        {
            while (true)
            {
                try
                {
                    JobView view = await _nodes[job.Home].JobAsync(job.Id);
                    finals[job.Id] = view;
                    if (JobChecks.IsAtRest(view))
                    {
                        break;
                    }
                }
                catch (CodedException unknown) when (unknown.Problem.Code == "AM0307")
                {
                    break;
                }
                catch (Exception error) when (error is CodedException or LostException or TimeoutException)
                {
                    Say($"{job.Id}: {error.Message}");
                }

                if (TimeProvider.System.GetElapsedTime(began) > within)
                {
                    break;
                }

                await Task.Delay(250, cancel);
            }
        }

        return finals;
    }

    /// <summary>Without faults, each job whose attempts were used up comes to its result.</summary>
    private async Task RetryPausedAsync(IReadOnlyList<KnownJob> jobs, Dictionary<string, JobView> finals)
    {
        KnownJob[] paused = [.. jobs.Where(job => finals.GetValueOrDefault(job.Id)?.State == "paused")];
        foreach (KnownJob job in paused)
        {
            try
            {
                await _nodes[job.Home].Client.PostAsync($"v1/job/retry?id={Uri.EscapeDataString(job.Id)}", ControlJson.Default.JobView, TimeSpan.FromSeconds(30));
            }
            catch (Exception error) when (error is CodedException or LostException or TimeoutException)
            {
                _board.Check("a paused job can be retried", false, () => $"{job.Id}: {error.Message}");
            }
        }

        Dictionary<string, JobView> retried = await RestAsync(paused, RetriedWithin);
        var outputs = new OutputChecks(_nodes, new Random(options.Seed));
        foreach (KnownJob job in paused)
        {
            JobView? final = retried.GetValueOrDefault(job.Id);
            _board.Check("a paused job completes when it is retried", final is { State: "completed" } && (job.Item.Answer is null || final.Result == job.Item.Answer), () => $"{job.Id}: {final?.State} {final?.Reason}");
            if (job.Item.Lines is not null && final is { State: "completed" })
            {
                await outputs.RunAsync(_board, job, final);
            }
        }
    }

    private async Task EndAsync(IReadOnlyList<KnownJob> jobs)
    {
        string?[] ends = await Task.WhenAll(_nodes.Select(node => node.EndAsync()));
        for (int i = 0; i < _nodes.Length; i++)
        {
            SoakNode node = _nodes[i];
            _board.Check("every node ends in an orderly way", ends[i] is null && node.Process is null, () => $"{node.Name}: {ends[i]}");
            await node.KillAsync();
            await JournalChecks.RunAsync(_board, node.Name, node.Data, [.. jobs.Where(job => job.Home == i).Select(job => job.Id)]);
        }
    }

    private string Tag => string.Create(CultureInfo.InvariantCulture, $"soak-{options.Seed}-");

    private static void Need(string? problem)
    {
        if (problem is not null)
        {
            throw new InvalidOperationException(problem);
        }
    }

    private void Say(string text)
    {
        lock (_board)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.Now.TotalSeconds,7:0.0} s  {text}"));
            output.Flush();
        }
    }
}
