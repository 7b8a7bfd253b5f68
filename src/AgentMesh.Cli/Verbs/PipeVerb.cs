using System.CommandLine;
using AgentMesh.Mesh.Commands;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>pipe: programs on several devices, each reading what the one before it writes.</summary>
internal static class PipeVerb
{
    public static Command Create(GlobalOptions global)
    {
        var fail = new Option<bool>("--pipefail") { Description = "The exit code is that of the last stage that failed, not of the last stage." };
        var line = new Argument<string[]>("LINE") { Description = "In quotes: '@a PROGRAM | @b PROGRAM | @c PROGRAM'.", Arity = ArgumentArity.OneOrMore };
        return global.Verb("pipe", "Run programs on several devices, each reading what the one before it writes: pipe '@a seq 100 | @b sort | @c head -3' (docs/pipes.md).", [fail, line], async (session, parsed, cancel) =>
        {
            string[] words = parsed.GetValue(line)!;
            using var client = session.Connect();
            var request = new PipeRequest(words is [string whole] ? whole : PipeLine.Join(words), session.Timeout?.TotalMilliseconds);
            return await new PipeRun(client, session.Terminal).ExecuteAsync(request, parsed.GetValue(fail), cancel).ConfigureAwait(false);
        });
    }

    /// <summary>The line of a pipe, where words that begin with a device are one.</summary>
    public static string? LineOf(IReadOnlyList<string> words)
    {
        string line = words is [string whole] ? whole : PipeLine.Join(words);
        return PipeLine.IsPipe(line) ? line : null;
    }
}
