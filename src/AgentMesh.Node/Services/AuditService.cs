using AgentMesh.Errors;
using AgentMesh.Journal.Audit;
using AgentMesh.Mesh;
using AgentMesh.Node.Control;

namespace AgentMesh.Node.Services;

/// <summary>Shows who had what run on this device.</summary>
internal sealed class AuditService(AuditLog audit, Devices devices)
{
    public const int LimitMax = 10_000;

    private const int IdPrefixMin = 4;

    /// <param name="peer">Only what came from this device; one that was forgotten is named by its id, or the beginning of it.</param>
    /// <param name="outcome">Only what ended so; "running" for what has no end yet.</param>
    /// <exception cref="MeshException">AM0208 bad request, AM0302/AM0303 no such device.</exception>
    public Task<IReadOnlyList<AuditView>> NewestAsync(int limit, string? peer, DateTimeOffset since, string? outcome, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > LimitMax)
        {
            throw new MeshException(NodeErrors.ControlRequest, $"'limit' must be 1 to {LimitMax}, not {limit}", "see docs/control-api.md");
        }

        Func<string, bool> isFrom = HomeFilter(peer);

        // The whole log may have to be read.
        return Task.Run(() => Find(limit, isFrom, since, outcome, cancellationToken), cancellationToken);
    }

    private IReadOnlyList<AuditView> Find(int limit, Func<string, bool> isFrom, DateTimeOffset since, string? outcome, CancellationToken cancellationToken)
    {
        var names = devices.All.ToDictionary(device => device.Id.ToString(), device => device.Name);
        var found = new List<AuditView>();
        foreach (AuditEntry entry in audit.Newest(since))
        {
            cancellationToken.ThrowIfCancellationRequested();
            AuditView view = ViewOf(entry, names);
            if (isFrom(entry.Taken.Home) && (outcome is null || string.Equals(outcome, view.Outcome, StringComparison.OrdinalIgnoreCase)))
            {
                found.Add(view);
                if (found.Count == limit)
                {
                    break;
                }
            }
        }

        return found;
    }

    private Func<string, bool> HomeFilter(string? peer)
    {
        if (peer is null)
        {
            return static _ => true;
        }

        try
        {
            string id = devices.One(peer).Id.ToString();
            return home => home == id;
        }
        catch (MeshException unknown) when (unknown.Code == MeshErrors.UnknownPeer && peer.Length >= IdPrefixMin && audit.Newest(default).Any(entry => Begins(entry.Taken.Home)))
        {
            return Begins;
        }

        bool Begins(string home) => home.StartsWith(peer, StringComparison.OrdinalIgnoreCase);
    }

    private static AuditView ViewOf(AuditEntry entry, Dictionary<string, string> names)
    {
        AuditRecord taken = entry.Taken;
        return new AuditView(
            taken.At,
            taken.Home,
            names.GetValueOrDefault(taken.Home),
            taken.User ?? "",
            taken.Command ?? "",
            taken.Program ?? false,
            JobId.TryParse(taken.Job, out JobId job) ? job.Short : taken.Job,
            taken.Job,
            taken.Attempt,
            entry.End?.Outcome ?? "running",
            entry.End?.ExitCode,
            entry.End?.Code,
            entry.EndedAt is { } end ? (end - taken.At).TotalMilliseconds : null);
    }
}
