using AgentMesh.Errors;
using AgentMesh.Journal.Audit;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Identity;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Administration;

/// <summary>
/// Writes into the audit log what other devices ask of the control API. What repeats without doing anything (looking, being refused) is written once a minute for each device and route: a panel that looks every
/// second would push everything else out of the log. Thread-safe.
/// </summary>
internal sealed class AdministrationAudit(AuditLog audit, DeviceRegistry registry, TimeProvider time, ILogger log)
{
    private const int RememberedMax = 4_096;

    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private readonly UlidSource _ids = UlidSource.Secure(time);
    private readonly Lock _gate = new();
    private readonly Dictionary<(DeviceId Device, string What), long> _written = [];

    /// <summary>Before anything of it is done.</summary>
    /// <param name="what">Method, path and query.</param>
    /// <param name="repeating">The route, where it is written once a minute; null where every request is.</param>
    /// <returns>For <see cref="Over"/>; null where nothing was written.</returns>
    /// <exception cref="MeshException">AM0430: it cannot be written, and is not to be done.</exception>
    public AuditRecord? Taken(DeviceId device, string what, string? repeating)
    {
        if (repeating is not null && !IsDue(device, repeating))
        {
            return null;
        }

        string id = device.ToString();
        var taken = new AuditRecord
        {
            At = time.GetUtcNow(),
            Event = AuditEvent.Taken,
            Job = $"admin/{_ids.Next()}",
            Attempt = 1,
            Home = id,
            User = registry.Devices.TryGetValue(device, out RegisteredDevice? known) ? known.Name : id,
            Program = false,
            Command = what,
        };
        audit.Append(taken);
        return taken;
    }

    /// <param name="outcome">succeeded, failed, cancelled or refused.</param>
    /// <param name="code">Of the error; null without one.</param>
    public void Over(AuditRecord? taken, string outcome, string? code)
    {
        if (taken is null)
        {
            return;
        }

        try
        {
            audit.Append(new AuditRecord
            {
                At = time.GetUtcNow(), Event = outcome == "refused" ? AuditEvent.Refused : AuditEvent.Ended, Job = taken.Job, Attempt = taken.Attempt, Home = taken.Home, Outcome = outcome, Code = code,
            });
        }
        catch (MeshException error)
        {
            // It is done: the line of its end is missing, and the node says so where it can.
            Log.Failed(log, $"writing the end of {taken.Job} to the audit log", error);
        }
    }

    /// <param name="route">Written once a minute for each; null for none that there is.</param>
    public void Refused(DeviceId device, string what, string? route, string code)
    {
        try
        {
            Over(Taken(device, what, $"refused {code} {route}"), "refused", code);
        }
        catch (MeshException error)
        {
            Log.Failed(log, "writing a refusal to the audit log", error);
        }
    }

    private bool IsDue(DeviceId device, string what)
    {
        long now = time.GetTimestamp();
        lock (_gate)
        {
            if (_written.TryGetValue((device, what), out long last) && time.GetElapsedTime(last, now) < Every)
            {
                return false;
            }

            if (_written.Count >= RememberedMax)
            {
                _written.Clear();
            }

            _written[(device, what)] = now;
            return true;
        }
    }
}
