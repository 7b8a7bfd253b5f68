using System.CommandLine;
using AgentMesh.Cli.Interactive;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Verbs;

/// <summary>The verb <c>attach</c>.</summary>
internal static class AttachVerb
{
    public const string Name = "attach";

    public static Command Create(GlobalOptions global)
    {
        var id = new Argument<string>("JOB") { Description = "A job's short id or whole id, or an element of an array (a-7f3kq2m/12)." };
        var from = new Option<long?>("--from") { Description = "Begin at this byte offset of its output, and not now." };
        var tail = new Option<int?>("--tail", "-n") { Description = "Begin so many lines before the end." };
        var noStdin = new Option<bool>("--no-stdin") { Description = "Only look on: nothing that is typed goes to the program." };
        var at = new Option<string?>("--at") { Description = "The device where the job is at home, for a short id; its output only. Needs the grant 'logs' there." };
        return global.Verb(
            Name,
            "Come to a job that runs: its output from now on and, when it was started with -i or -it, its input and terminal (docs/interactive.md). Ctrl-P Ctrl-Q leaves it again, Ctrl+C too where there is no terminal.",
            [id, from, tail, noStdin, at],
            async (session, parsed, cancel) =>
            {
                if (parsed.GetValue(from) is not null && parsed.GetValue(tail) is not null)
                {
                    throw new MeshException(CliErrors.Usage, "--from and --tail exclude each other", "leave one of them out");
                }

                using var client = session.Connect();
                return await new AttachRun(session, client)
                    .ExecuteAsync(parsed.GetValue(id)!, parsed.GetValue(from), parsed.GetValue(tail), parsed.GetValue(at), !parsed.GetValue(noStdin), cancel).ConfigureAwait(false);
            });
    }
}
