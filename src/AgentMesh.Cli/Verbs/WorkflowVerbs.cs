using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Node.Control;
using WorkflowId = AgentMesh.Mesh.Workflows.WorkflowId;

namespace AgentMesh.Cli.Verbs;

/// <summary>workflow run, list, show, pause, resume, retry, skip, edit, cancel, fork.</summary>
internal static class WorkflowVerbs
{
    private const int FileBytesMax = 1024 * 1024;

    public static Command All(GlobalOptions global)
    {
        var workflow = new Command("workflow", "Run steps on devices, in an order and with their results passed on (docs/workflows.md).") { Run(global), List(global) };
        workflow.Subcommands.Add(Act(global, "show", "Show one workflow with its steps.", follows: true));
        workflow.Subcommands.Add(Act(global, "pause", "Begin no further step; what runs goes on.", follows: false));
        workflow.Subcommands.Add(Act(global, "resume", "Go on; steps that failed begin again.", follows: true));
        workflow.Subcommands.Add(Act(global, "cancel", "Ask what runs to stop, then stop it; begin nothing more.", follows: true));
        workflow.Subcommands.Add(ActOnStep(global, "retry", "Begin a step that failed again."));
        workflow.Subcommands.Add(ActOnStep(global, "skip", "Go on as if a step that waits or failed were done."));
        workflow.Subcommands.Add(Edit(global));
        workflow.Subcommands.Add(Fork(global));
        return workflow;
    }

    private static Command Run(GlobalOptions global)
    {
        var file = new Argument<string>("FILE") { Description = "A workflow in YAML; - reads standard input." };
        var set = NewSet();
        var key = new Option<string?>("--key") { Description = "Idempotency key: a repeat returns the first workflow." };
        Option<bool> detach = NewDetach();
        var notify = new NotifyOptions("the workflow");
        var home = new Option<string?>("--home") { Description = "The pool that keeps it (docs/pools.md); 'device' for this device. Without it, the setting jobs.home." };
        return global.Verb("run", "Run a workflow from a file and follow it.", [file, set, key, detach, home, .. notify.All], async (session, parsed, cancel) =>
        {
            string name = parsed.GetValue(file)!;
            string text = await ReadAsync(name, cancel).ConfigureAwait(false);
            using var client = session.Connect();
            WorkflowView accepted = await client.PostAsync(
                "v1/workflows",
                new WorkflowRequest(text, name == "-" ? "standard input" : name, Values(parsed.GetValue(set)), parsed.GetValue(key), parsed.GetValue(home)) { Notify = notify.Url(parsed), NotifyOn = notify.On(parsed) },
                ControlJson.Default.WorkflowRequest,
                ControlJson.Default.WorkflowView,
                cancel).ConfigureAwait(false);
            return await BegunAsync(session, client, accepted, parsed.GetValue(detach), cancel).ConfigureAwait(false);
        });
    }

    private static Command List(GlobalOptions global)
    {
        var state = new Option<string?>("--state") { Description = "Only workflows in this state." };
        state.AcceptOnlyFromAmong("running", "paused", "cancelling", "completed", "cancelled");
        var limit = new Option<int>("--limit") { Description = "At most this many, the newest first.", DefaultValueFactory = _ => 50 };
        var home = new Option<string?>("--home") { Description = "Those of a pool (docs/pools.md), or 'device' for those of this device; without it, the setting jobs.home." };
        return global.Verb("list", "List workflows, the newest first.", [state, limit, home], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            string query = string.Create(CultureInfo.InvariantCulture, $"limit={Math.Max(1, parsed.GetValue(limit))}") + (parsed.GetValue(state) is { } wanted ? $"&state={wanted}" : "") + (parsed.GetValue(home) is { } of ? $"&home={Uri.EscapeDataString(of)}" : "");
            IReadOnlyList<WorkflowView> found = await client.GetAsync($"v1/workflows?{query}", ControlJson.Default.IReadOnlyListWorkflowView, cancel).ConfigureAwait(false);
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(found, ControlJson.Default.IReadOnlyListWorkflowView);
                return 0;
            }

            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            session.Terminal.Table(["WORKFLOW", "NAME", "STATE", "STEPS", "AGE", "REASON"], found.Select(each => (IReadOnlyList<string>)
            [
                each.ShortId,
                each.Name,
                each.State,
                string.Create(CultureInfo.InvariantCulture, $"{each.Steps.Count(step => step.State is not ("waiting" or "running"))}/{each.Steps.Count}"),
                Durations.Age(now - each.CreatedAt),
                each.Problem?.Message.Split('\n')[0] ?? each.Steps.FirstOrDefault(step => step.State == "running")?.Name ?? "",
            ]));
            return 0;
        });
    }

    private static Command Act(GlobalOptions global, string verb, string description, bool follows)
    {
        Argument<string> id = NewId();
        var follow = new Option<bool>("--follow", "-f") { Description = "Follow it until it is over or paused." };
        return global.Verb(verb, description, follows ? [id, follow] : [id], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            string path = $"v1/workflow{(verb == "show" ? "" : "/" + verb)}?id={Uri.EscapeDataString(parsed.GetValue(id)!)}";
            WorkflowView view = verb == "show"
                ? await client.GetAsync(path, ControlJson.Default.WorkflowView, cancel).ConfigureAwait(false)
                : await client.PostAsync(path, ControlJson.Default.WorkflowView, cancel).ConfigureAwait(false);
            return await ToldAsync(session, client, view, follows && parsed.GetValue(follow), verb == "show", cancel).ConfigureAwait(false);
        });
    }

    private static Command ActOnStep(GlobalOptions global, string verb, string description)
    {
        Argument<string> id = NewId();
        Argument<string> step = NewStep();
        return global.Verb(verb, description, [id, step], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            WorkflowView view = await client.PostAsync(
                $"v1/workflow/{verb}?id={Uri.EscapeDataString(parsed.GetValue(id)!)}&step={Uri.EscapeDataString(parsed.GetValue(step)!)}", ControlJson.Default.WorkflowView, cancel).ConfigureAwait(false);
            return await ToldAsync(session, client, view, follow: false, show: false, cancel).ConfigureAwait(false);
        });
    }

    private static Command Edit(GlobalOptions global)
    {
        Argument<string> id = NewId();
        Argument<string> step = NewStep();
        var on = new Option<string?>("--on") { Description = "A selector." };
        var shell = new Option<string?>("--shell") { Description = "A line for a shell." };
        var command = new Option<string?>("--command") { Description = "A line for a handler, for example 'calc 1+2'." };
        var attempts = new Option<int?>("--attempts") { Description = "Attempts of each job." };
        Option<TimeSpan?> attempt = NewDuration("--attempt-timeout", "Longest single attempt."), queue = NewDuration("--queue-timeout", "Longest wait for a device."), total = NewDuration("--total-timeout", "Longest life of a job.");
        var allow = new Option<bool?>("--allow-failure") { Description = "Whether the workflow goes on when the step fails: true or false." };
        var program = new Argument<string[]>("PROGRAM") { Description = "After --: the program and its arguments.", Arity = ArgumentArity.ZeroOrMore };
        return global.Verb("edit", "Change a step that waits or failed; then 'workflow resume' or 'workflow retry' tries it.", [id, step, program, on, shell, command, attempts, attempt, queue, total, allow], async (session, parsed, cancel) =>
        {
            var request = new StepEditRequest(
                parsed.GetValue(on),
                parsed.GetValue(program) is { Length: > 0 } words ? words : null,
                parsed.GetValue(shell),
                parsed.GetValue(command),
                parsed.GetValue(attempts),
                parsed.GetValue(attempt)?.TotalMilliseconds,
                parsed.GetValue(queue)?.TotalMilliseconds,
                parsed.GetValue(total)?.TotalMilliseconds,
                parsed.GetValue(allow));
            if (request == new StepEditRequest())
            {
                throw new MeshException(CliErrors.Usage, "nothing is changed", "name what shall be different, for example: agentmesh workflow edit ID STEP --attempts 3 -- PROGRAM ARGUMENTS");
            }

            using var client = session.Connect();
            WorkflowView view = await client.PostAsync(
                $"v1/workflow/edit?id={Uri.EscapeDataString(parsed.GetValue(id)!)}&step={Uri.EscapeDataString(parsed.GetValue(step)!)}",
                request,
                ControlJson.Default.StepEditRequest,
                ControlJson.Default.WorkflowView,
                cancel).ConfigureAwait(false);
            return await ToldAsync(session, client, view, follow: false, show: false, cancel).ConfigureAwait(false);
        });
    }

    private static Command Fork(GlobalOptions global)
    {
        Argument<string> id = NewId();
        var from = new Option<string>("--from-step") { Description = "The step that runs anew, with all that comes after it.", Required = true };
        return Fork(global, id, from, (parsed, _, _) => Task.FromResult((parsed.GetValue(id)!, parsed.GetValue(from)!)));
    }

    /// <summary>job fork: the same by a job that is a step.</summary>
    public static Command ForkOfJob(GlobalOptions global)
    {
        var id = new Argument<string>("JOB") { Description = "A job that is a step of a workflow, or the workflow itself." };
        var from = new Option<string?>("--from-step") { Description = "The step that runs anew, with all that comes after it; that of the job when it is left out." };
        return Fork(global, id, from, async (parsed, client, cancel) =>
        {
            string text = parsed.GetValue(id)!;
            string? step = parsed.GetValue(from);
            if (text.StartsWith(WorkflowId.ShortPrefix, StringComparison.Ordinal) || WorkflowId.TryParse(text, out _))
            {
                return (text, step ?? throw new MeshException(CliErrors.Usage, "no step is named", $"write: agentmesh job fork {text} --from-step STEP"));
            }

            JobView job = await client.GetAsync($"v1/job?id={Uri.EscapeDataString(text)}", ControlJson.Default.JobView, cancel).ConfigureAwait(false);
            return job is { Workflow: { } workflow, Step: { } own }
                ? (workflow, step ?? own)
                : throw new MeshException(CliErrors.Usage, $"{job.ShortId} is no step of a workflow", $"'agentmesh job retry {job.ShortId}' begins it again");
        });
    }

    private static Command Fork(GlobalOptions global, Argument<string> id, Option from, Func<ParseResult, ControlClient, CancellationToken, Task<(string Workflow, string Step)>> read)
    {
        var set = NewSet();
        var key = new Option<string?>("--key") { Description = "Idempotency key: a repeat returns the first fork." };
        Option<bool> detach = NewDetach();
        var notify = new NotifyOptions("the new workflow");
        return global.Verb("fork", "Begin another workflow that takes over the results of the steps before one.", [id, from, set, key, detach, .. notify.All], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            (string workflow, string step) = await read(parsed, client, cancel).ConfigureAwait(false);
            WorkflowView accepted = await client.PostAsync(
                $"v1/workflow/fork?id={Uri.EscapeDataString(workflow)}",
                new ForkRequest(step, Values(parsed.GetValue(set)), parsed.GetValue(key)) { Notify = notify.Url(parsed), NotifyOn = notify.On(parsed) },
                ControlJson.Default.ForkRequest,
                ControlJson.Default.WorkflowView,
                cancel).ConfigureAwait(false);
            return await BegunAsync(session, client, accepted, parsed.GetValue(detach), cancel).ConfigureAwait(false);
        });
    }

    private static Task<int> BegunAsync(Session session, ControlClient client, WorkflowView accepted, bool detach, CancellationToken cancel)
    {
        if (detach)
        {
            session.Terminal.Answer(accepted, ControlJson.Default.WorkflowView, accepted.ShortId);
            return Task.FromResult(0);
        }

        session.Terminal.Hint($"{accepted.ShortId}: {accepted.Name}, {accepted.Steps.Count} steps");
        return new WorkflowRun(session, client).FollowAsync(accepted, cancel);
    }

    private static async Task<int> ToldAsync(Session session, ControlClient client, WorkflowView view, bool follow, bool show, CancellationToken cancel)
    {
        var run = new WorkflowRun(session, client);
        if (follow)
        {
            return await run.FollowAsync(view, cancel).ConfigureAwait(false);
        }

        if (show)
        {
            run.Show(view);
        }
        else
        {
            session.Terminal.Answer(view, ControlJson.Default.WorkflowView, $"{view.ShortId} {view.State}");
        }

        return 0;
    }

    private static Task<string> ReadAsync(string name, CancellationToken cancel) => TextFile.ReadAsync(
        name,
        FileBytesMax,
        MeshErrors.WorkflowSyntax,
        "name a workflow in YAML; docs/workflows.md shows one",
        (MeshErrors.WorkflowTooLarge, "keep long texts in files that the programs read"),
        cancel);

    private static Dictionary<string, string> Values(string[]? set)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string each in set ?? [])
        {
            int equals = each.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw new MeshException(CliErrors.Usage, $"'{each}' sets no variable", "write --set NAME=VALUE");
            }

            values[each[..equals]] = each[(equals + 1)..];
        }

        return values;
    }

    private static Argument<string> NewId() => new("WORKFLOW") { Description = "Its short id (w-7f3kq2m) or whole id." };

    private static Argument<string> NewStep() => new("STEP") { Description = "The name of a step." };

    private static Option<string[]> NewSet() => new("--set") { Description = "NAME=VALUE: a variable that the file names under vars:; may be repeated." };

    private static Option<bool> NewDetach() => new("--detach") { Description = "Print the id of the workflow and do not wait." };

    private static Option<TimeSpan?> NewDuration(string name, string description) => new(name) { Description = description, CustomParser = Durations.Parse };
}
