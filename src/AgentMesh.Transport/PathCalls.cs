using System.Net;
using AgentMesh.Protocol.Connections;

namespace AgentMesh.Transport;

/// <summary>What is asked about the paths of one <see cref="MeshConnection"/>, under its lock.</summary>
/// <param name="pump">Sends what is due, tells what happened and sets the timer; called with the lock held. Does nothing once the connection is gone.</param>
internal sealed class PathCalls(MeshEndpoint endpoint, Connection connection, Lock gate, Action pump, ConnectionWaits waits)
{
    private LossWindow _losses;

    public MeshPathInfo InUse
    {
        get
        {
            lock (gate)
            {
                return PathDescriptions.InUse(endpoint, connection, _losses.Ratio(connection.Path.Loss));
            }
        }
    }

    public IReadOnlyList<MeshPathState> All
    {
        get
        {
            lock (gate)
            {
                return PathDescriptions.All(endpoint, connection, _losses.Ratio(connection.Path.Loss), Now);
            }
        }
    }

    /// <inheritdoc cref="MeshConnection.SeenAt"/>
    public IPEndPoint? SeenAt
    {
        get
        {
            lock (gate)
            {
                return connection.Mapping.LastSeen;
            }
        }
    }

    private TimeSpan Now => endpoint.Now.Monotonic;

    /// <summary>To be called with the lock held, now and then.</summary>
    public void NoteLosses() => _losses.Note(connection.Path.Loss);

    /// <summary>Packets take another path. To be called with the lock held.</summary>
    public void Moved() => _losses.Restart(connection.Path.Loss);

    /// <param name="portSilence"><see cref="MeshEndpoint.PortSilence"/></param>
    public void Heed(TimeSpan? portSilence)
    {
        lock (gate)
        {
            if (connection.Mapping.NetworkIdle != portSilence)
            {
                connection.Mapping.NetworkIdle = portSilence;
                pump();
            }
        }
    }

    /// <inheritdoc cref="IMeshConnection.MeasureAsync"/>
    public async ValueTask<TimeSpan?> MeasureAsync(MeshPathState path, CancellationToken cancellationToken)
    {
        PathQuestion? question = null;
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                Task arrived;
                lock (gate)
                {
                    question ??= path.Target is null ? null : connection.Measure(path.Target);
                    if (question is null || question.RoundTrip is not null || !connection.IsOpen)
                    {
                        return question?.RoundTrip;
                    }

                    arrived = waits.Measured();
                    pump();
                }

                await arrived.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // No answer in time, as below.
        }
        finally
        {
            lock (gate)
            {
                if (question is not null)
                {
                    connection.GiveUp(question);
                }
            }
        }

        return null;
    }

    /// <inheritdoc cref="MeshConnection.Probe"/>
    public void Probe(IEnumerable<IPEndPoint> candidates, TimeSpan delay)
    {
        lock (gate)
        {
            connection.Search.Probe(candidates.Where(candidate => !endpoint.Turn.IsTold(candidate)), Now + delay);
            pump();
        }
    }

    /// <inheritdoc cref="MeshConnection.ProbeOwn"/>
    public void ProbeOwn(IEnumerable<IPEndPoint> addresses)
    {
        lock (gate)
        {
            connection.Search.ProbeOwn(addresses, Now);
            pump();
        }
    }

    /// <inheritdoc cref="MeshConnection.Guess"/>
    public void Guess(IEnumerable<IPEndPoint> targets, TimeSpan delay)
    {
        lock (gate)
        {
            connection.Search.Guess(targets, Now + delay);
            pump();
        }
    }
}
