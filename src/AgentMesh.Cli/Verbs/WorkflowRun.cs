using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Node.Control;
using Spectre.Console;

namespace AgentMesh.Cli.Verbs;

/// <summary>Follows a workflow: a tree that is drawn again as it changes, and for a file or a pipe a line for each change.</summary>
internal sealed class WorkflowRun(Session session, ControlClient client)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly bool _isLive = session.Terminal.Live is not null && !Console.IsOutputRedirected;
    private readonly Dictionary<string, string> _told = new(StringComparer.Ordinal);

    /// <summary>Until it is over, or paused and nothing of it runs.</summary>
    /// <returns>0 when it completed.</returns>
    public async Task<int> FollowAsync(WorkflowView workflow, CancellationToken cancel)
    {
        try
        {
            workflow = await UntilAtRestAsync(workflow, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            LiveLines.OnStderr.Erase();
            session.Terminal.Hint($"it goes on: 'agentmesh workflow show {workflow.ShortId}' shows it, 'agentmesh workflow cancel {workflow.ShortId}' ends it");
            throw;
        }

        LiveLines.OnStderr.Erase();
        Show(workflow);
        return workflow.State == "completed" ? 0 : 1;
    }

    public void Show(WorkflowView workflow)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(workflow, ControlJson.Default.WorkflowView);
            return;
        }

        session.Terminal.Console.Write(WorkflowTree.Of(workflow, TimeProvider.System.GetUtcNow()));
        ToldLines.WriteEnd(session.Terminal.Out, workflow.Notify, workflow.NotifyOn, workflow.Delivery);
        if (workflow.Problem is { } problem)
        {
            session.Terminal.Problem(new MeshException(problem.Code, problem.Message, problem.Next));
        }
    }

    private async Task<WorkflowView> UntilAtRestAsync(WorkflowView workflow, CancellationToken cancel)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            Tell(workflow);
            if (workflow.EndedAt is not null || (workflow.State == "paused" && workflow.Steps.All(step => step.State != "running")))
            {
                return workflow;
            }

            if (session.Timeout is { } limit && TimeProvider.System.GetElapsedTime(start) >= limit)
            {
                LiveLines.OnStderr.Erase();
                throw new MeshException(
                    MeshErrors.NoAnswer,
                    $"workflow {workflow.ShortId} was not done within {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s: {workflow.State}",
                    $"it goes on: 'agentmesh workflow show {workflow.ShortId}' shows it, 'agentmesh workflow cancel {workflow.ShortId}' ends it");
            }

            await Task.Delay(LookEvery, TimeProvider.System, cancel).ConfigureAwait(false);
            workflow = await client.GetAsync($"v1/workflow?id={Uri.EscapeDataString(workflow.Id)}", ControlJson.Default.WorkflowView, cancel).ConfigureAwait(false);
        }
    }

    private void Tell(WorkflowView workflow)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        if (_isLive)
        {
            Draw(workflow, now);
            return;
        }

        foreach (WorkflowStepView step in workflow.Steps.Where(step => step.State != "waiting" || (step.Reason is not null && step.Needs.Count == 0)))
        {
            string note = step.State is "failed" or "waiting" ? WorkflowTree.Note(step) : "";
            string line = $"{step.Name}: {step.State}{(step.State == "running" ? $" on {WorkflowTree.Devices(step)}" : "")}{(note.Length > 0 ? $": {note}" : "")}";
            if (_told.GetValueOrDefault(step.Name) != line)
            {
                _told[step.Name] = line;
                session.Terminal.Hint(step.State is "completed" or "failed" ? $"{line} ({WorkflowTree.Took(step, now)})" : line);
            }
        }
    }

    private void Draw(WorkflowView workflow, DateTimeOffset now)
    {
        using var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = AnsiSupport.Yes,
            ColorSystem = session.Terminal.Console.Profile.Capabilities.ColorSystem == ColorSystem.NoColors ? ColorSystemSupport.NoColors : ColorSystemSupport.Standard,
            Interactive = InteractionSupport.No,
        });

        // A line that is too long is folded by it, and not by the terminal: their count is right.
        console.Profile.Width = Math.Max(20, Console.BufferWidth - 1);
        console.Write(WorkflowTree.Of(workflow, now));
        string[] lines = text.ToString().TrimEnd('\n').Split('\n');
        if (lines.Length >= Console.WindowHeight)
        {
            // What has left the screen cannot be drawn again: the tree is shown at the end.
            int over = workflow.Steps.Count(step => step.State is not ("waiting" or "running"));
            lines = [$"{workflow.ShortId} {workflow.State}: {over} of {workflow.Steps.Count} steps are over"];
        }

        LiveLines.OnStderr.Draw(lines);
    }
}
