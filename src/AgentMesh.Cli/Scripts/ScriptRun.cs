using System.Globalization;
using AgentMesh.Cli.Repl;
using AgentMesh.Cli.Verbs;

namespace AgentMesh.Cli.Scripts;

/// <summary>What became of one line.</summary>
/// <param name="Code">Null where it was not run.</param>
public sealed record ScriptStep(int Line, string Text, int? Code, double Seconds, string? Name, string? Value);

/// <summary>Runs a script line by line; the first that fails ends it, unless it says otherwise.</summary>
internal sealed class ScriptRun(ReplLines lines, TimeProvider time)
{
    private readonly List<ScriptStep> _steps = [];

    public IReadOnlyList<ScriptStep> Steps => _steps;

    /// <param name="goOn">As if it began with <c>set +e</c>.</param>
    /// <returns>The exit code of the first line that failed; 0 without one.</returns>
    public async Task<int> ExecuteAsync(IReadOnlyList<ScriptLine> script, bool goOn, CancellationToken cancel)
    {
        int first = 0;
        bool stops = !goOn, isOver = false;
        foreach (ScriptLine line in script)
        {
            if (line.Kind is ScriptLineKind.StopAtFailure or ScriptLineKind.GoOnAfterFailure)
            {
                stops = line.Kind == ScriptLineKind.StopAtFailure;
                continue;
            }

            if (isOver)
            {
                _steps.Add(new ScriptStep(line.Number, line.Text, null, 0, null, null));
                continue;
            }

            long begun = time.GetTimestamp();
            int code = await lines.ExecuteAsync(line, cancel).ConfigureAwait(false);
            _steps.Add(new ScriptStep(line.Number, line.Text, code, time.GetElapsedTime(begun).TotalSeconds, line.Name, line.Name is { } name && lines.Variables.TryGet(name, out string? value) ? value : null));
            first = first == 0 ? code : first;
            isOver = lines.HasEnded || cancel.IsCancellationRequested || (code != 0 && stops);
        }

        return first;
    }

    /// <summary>A line for each line, on stderr: results are on stdout.</summary>
    public void Summarise(Session session)
    {
        session.Terminal.Notes(
            ["LINE", "EXIT", "TIME", "COMMAND"],
            _steps.Select(step => (IReadOnlyList<string>)
            [
                step.Line.ToString(CultureInfo.InvariantCulture),
                step.Code is { } code ? code.ToString(CultureInfo.InvariantCulture) : "not run",
                step.Code is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{step.Seconds:0.0} s"),
                step.Name is null ? step.Text : $"{step.Name} = {step.Text}",
            ]));
        int failed = _steps.Count(step => step.Code is not null and not 0), left = _steps.Count(step => step.Code is null);
        session.Terminal.Note($"{_steps.Count - failed - left} succeeded, {failed} failed, {left} not run");
    }
}
