using AgentMesh.Errors;
using AgentMesh.Node.Control;
using AgentMesh.Node.Services;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.RoundTrips;

/// <summary>The asking side: one stream as long as it works, a new one after a failure. One probe at a time.</summary>
internal sealed class PingSession(ConnectionHub hub, NamedDevice device, TimeProvider time) : IAsyncDisposable
{
    private readonly byte[] _question = new byte[PingQuestion.Size];
    private readonly byte[] _answer = new byte[PingAnswer.Size];
    private MeshPathInfo _askedOver;
    private IMeshConnection? _connection;
    private IMeshStream? _stream;

    /// <exception cref="MeshException">AM0211: the node there does not answer pings at all.</exception>
    public async Task<PingProbeView> ProbeAsync(int sequence, TimeSpan patience, CancellationToken cancellationToken)
    {
        // Never a dial: a ping says how things are, it does not change them.
        if (hub.Find(device.Id) is not { } live)
        {
            return new PingProbeView(sequence, null, null, null, null, "no connection");
        }

        using var late = new CancellationTokenSource(patience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            if (!ReferenceEquals(live, _connection) || _stream is null)
            {
                await CloseAsync().ConfigureAwait(false);
                _stream = await ConnectionHub.OpenAsync(live, PingResponder.Service, StreamPriority.Control, limit.Token).ConfigureAwait(false);
                _connection = live;
            }

            return await ExchangeAsync(_stream, live, sequence, limit.Token).ConfigureAwait(false);
        }
        catch (StreamAbortedException refused) when (refused.Code == StreamCodes.UnknownService && !live.Closed.IsCompleted)
        {
            throw new MeshException(NodeErrors.NoPing, $"the node of {device.Name} does not answer pings: it is older than this one", $"update AgentMesh on {device.Name}; 'agentmesh peers' shows the estimate of its connection");
        }
        catch (Exception error) when (error is IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // What is left on the stream belongs to this probe: the next one gets another.
            await CloseAsync().ConfigureAwait(false);
            string why = error is OperationCanceledException ? Unanswered(patience) : "the connection was lost";
            return new PingProbeView(sequence, null, null, live.Path.Place, live.Path.Description, why);
        }
    }

    /// <summary>The paths beside the one in use, all at once.</summary>
    public async Task<IReadOnlyList<PathProbeView>> ProbePathsAsync(int sequence, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (hub.Find(device.Id) is not { } live)
        {
            return [];
        }

        using var late = new CancellationTokenSource(patience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        PathProbeView[] all = await Task.WhenAll(live.Paths.Skip(1).Select(async path =>
        {
            TimeSpan? roundTrip = await live.MeasureAsync(path, limit.Token).ConfigureAwait(false);
            return new PathProbeView(
                sequence, PathViews.RoleName(path.Role), path.Info.Place, path.Info.Description, roundTrip?.TotalMilliseconds, roundTrip is null ? Unanswered(patience) : null);
        })).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return all;
    }

    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    private async Task<PingProbeView> ExchangeAsync(IMeshStream stream, IMeshConnection connection, int sequence, CancellationToken cancellationToken)
    {
        _askedOver = connection.Path;
        new PingQuestion((ulong)sequence).Write(_question);
        DateTimeOffset asked = time.GetUtcNow();
        long start = time.GetTimestamp();
        await stream.WriteAsync(_question, cancellationToken).ConfigureAwait(false);
        if (!await stream.TryFillAsync(_answer, cancellationToken).ConfigureAwait(false) || PingAnswer.Read(_answer) is var answer && answer.Sequence != (ulong)sequence)
        {
            throw new IOException("no answer to this question");
        }

        TimeSpan roundTrip = time.GetElapsedTime(start);
        MeshPathInfo path = connection.Path;
        bool isOther = path.Place != _askedOver.Place || path.Kind != _askedOver.Kind;
        return new PingProbeView(sequence, roundTrip.TotalMilliseconds, OffsetMs(answer.ClockMs, asked, roundTrip), path.Place, path.Description, null)
        {
            AskedOver = isOther ? $"{_askedOver.Place} {_askedOver.Description}" : null,
        };
    }

    /// <summary>How far the clock there is ahead, as if it had been read in the middle of the round trip.</summary>
    private static double OffsetMs(long clockMs, DateTimeOffset asked, TimeSpan roundTrip) =>
        (double)clockMs - (asked.ToUnixTimeMilliseconds() + (roundTrip.TotalMilliseconds / 2));

    private static string Unanswered(TimeSpan patience) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"no answer within {patience.TotalSeconds:0.###} s");

    private async ValueTask CloseAsync()
    {
        if (_stream is { } stream)
        {
            _stream = null;
            stream.Abort(StreamCodes.Done);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }
}
