using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Administration;

/// <summary>
/// The devices that administer this one: lets their streams in by their grants before a byte of them is read, so many of each at a time, and ends them when a grant is taken back. Thread-safe.
/// </summary>
internal sealed class Administrators : IDisposable
{
    private readonly DeviceRegistry _registry;
    private readonly AdministrationAudit _audit;
    private readonly Lock _gate = new();
    private readonly HashSet<AdministratorConnection> _open = [];

    public Administrators(DeviceRegistry registry, AdministrationAudit audit)
    {
        (_registry, _audit) = (registry, audit);
        registry.Changed += EndThoseThatMayLess;
    }

    /// <summary>For the HTTP server.</summary>
    public AdministratorListener Listener { get; } = new();

    /// <summary>As it is now.</summary>
    public AdministrationRight RightOf(DeviceId device) =>
        _registry.Devices.TryGetValue(device, out RegisteredDevice? known) ? AdministrationRights.Of(known.Grants) : AdministrationRight.None;

    public string NameOf(DeviceId device) => _registry.Devices.TryGetValue(device, out RegisteredDevice? known) ? known.Name : device.ToString()[..12];

    /// <summary>A stream of the service <see cref="ControlStream.Service"/>, until it is over.</summary>
    public async Task ServeAsync(DeviceId device, IMeshStream stream, CancellationToken stopping)
    {
        (ControlAnswer answer, AdministratorConnection? connection) = Enter(device, stream);
        try
        {
            if (answer == ControlAnswer.NotGranted)
            {
                _audit.Refused(device, "open a stream", "stream", AdministrationErrors.NotGranted);
            }

            await stream.WriteAsync(new[] { (byte)answer }, stopping).ConfigureAwait(false);
            if (connection is null)
            {
                await stream.CompleteWritesAsync().ConfigureAwait(false);
                return;
            }

            connection.Start();
            if (Listener.TryOffer(connection))
            {
                await connection.FinishAsync(stopping).ConfigureAwait(false);
            }
            else
            {
                connection.End(StreamCodes.ShuttingDown);
            }
        }
        finally
        {
            if (connection is not null)
            {
                lock (_gate)
                {
                    _open.Remove(connection);
                }
            }
        }
    }

    public void Dispose() => _registry.Changed -= EndThoseThatMayLess;

    private (ControlAnswer Answer, AdministratorConnection? Connection) Enter(DeviceId device, IMeshStream stream)
    {
        // Under the lock, so that a grant which is taken back meanwhile finds the stream among the open ones.
        lock (_gate)
        {
            if (RightOf(device) is var right && right == AdministrationRight.None)
            {
                return (ControlAnswer.NotGranted, null);
            }

            if (_open.Count(open => open.Device == device) >= ControlStream.StreamsMax)
            {
                return (ControlAnswer.TooManyStreams, null);
            }

            var connection = new AdministratorConnection(device, right, stream);
            _open.Add(connection);
            return (ControlAnswer.Serves, connection);
        }
    }

    private void EndThoseThatMayLess()
    {
        AdministratorConnection[] ended;
        lock (_gate)
        {
            ended = [.. _open.Where(open => RightOf(open.Device) < open.Right)];
        }

        foreach (AdministratorConnection connection in ended)
        {
            connection.End(ControlStream.GrantEnded);
        }
    }
}
