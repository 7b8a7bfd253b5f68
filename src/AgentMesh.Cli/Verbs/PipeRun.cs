using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>Runs a pipe: what the last stage writes goes to stdout, what any of them writes to stderr goes there.</summary>
internal sealed class PipeRun(ControlClient client, Terminal terminal)
{
    private readonly SortedDictionary<int, JobView> _ended = [];
    private bool _hasFailed;

    /// <param name="failsWithAny">The exit code is that of the last stage that failed, not of the last stage.</param>
    public async Task<int> ExecuteAsync(PipeRequest request, bool failsWithAny, CancellationToken cancellationToken)
    {
        await foreach (CommandEvent happened in client.PipeAsync(request, cancellationToken).ConfigureAwait(false))
        {
            if (terminal.Json)
            {
                terminal.PrintJson(happened, ControlJson.Default.CommandEvent);
            }

            switch (happened.Type)
            {
                case "output" when !terminal.Json:
                    Stream to = happened.Output!.Stream == "stderr" ? terminal.RawError : terminal.RawOut;
                    await to.WriteAsync(happened.Output.Data, cancellationToken).ConfigureAwait(false);
                    await to.FlushAsync(cancellationToken).ConfigureAwait(false);
                    break;
                case "ended":
                    _ended[happened.Stage ?? 0] = happened.Job!;
                    break;
                case "problem":
                    _hasFailed = true;
                    ProblemView problem = happened.Problem!;
                    terminal.Problem(new MeshException(problem.Code, problem.Message, problem.Next));
                    break;
            }
        }

        return _hasFailed || _ended.Count == 0 ? CommandRun.MeshFailure : Conclude(failsWithAny);
    }

    private int Conclude(bool failsWithAny)
    {
        int[] codes = [.. _ended.Values.Select(job => job.State == "completed" ? 0 : job.ExitCode ?? CommandRun.MeshFailure)];
        if (codes.Any(code => code != 0) && !terminal.Json)
        {
            terminal.Note("agentmesh: exit codes: " + string.Join(", ", _ended.Values.Zip(codes, (job, code) => $"{job.TargetName} {code}")));
        }

        return failsWithAny ? codes.LastOrDefault(code => code != 0) : codes[^1];
    }
}
