using AgentMesh.Errors;
using AgentMesh.Journal.Audit;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Supervision;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Audit;

/// <summary>Writes down what the workers are told to do.</summary>
internal sealed class AttemptAudit(AuditLog audit, TimeProvider time, ILogger log) : IAttemptAudit
{
    public void Taken(AttemptOrder order) => audit.Append(Record(order.Key, AuditEvent.Taken) with
    {
        User = $"{order.Caller.User}@{order.Caller.DeviceName}",
        Program = order.IsProgram,
        Command = order.IsProgram ? string.Join(' ', order.Words.Select(Quoting.Quote)) : order.Line,
    });

    public void Over(AttemptKey attempt, AttemptResult result)
    {
        try
        {
            audit.Append(Record(attempt, result.Outcome == AttemptOutcome.Refused ? AuditEvent.Refused : AuditEvent.Ended) with
            {
                Outcome = result.Outcome.ToString().ToLowerInvariant(),
                ExitCode = result.ExitCode,
                Code = result.Problem?.Code,
            });
        }
        catch (MeshException error)
        {
            // It has run: the line of its end is missing, and the node says so where it can.
            Log.Failed(log, $"writing the end of {attempt} to the audit log", error);
        }
    }

    private AuditRecord Record(AttemptKey key, AuditEvent happened) => new()
    {
        At = time.GetUtcNow(), Event = happened, Job = key.Job.ToString(), Attempt = key.Attempt, Home = key.Job.Home.ToString(),
    };
}
