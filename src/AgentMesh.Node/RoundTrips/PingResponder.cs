using System.Collections.Concurrent;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.RoundTrips;

/// <summary>
/// Answers the pings of admitted devices. A device that asks faster than <see cref="PerSecondMax"/> is not read in the meantime, so it is
/// the one that waits; it has no more than <see cref="StreamsMax"/> streams here.
/// </summary>
internal sealed class PingResponder(TimeProvider time)
{
    public const string Service = "ping";
    public const int StreamsMax = 4;
    public const int PerSecondMax = 200;

    /// <summary>Questions answered at once after a rest.</summary>
    public const int BurstMax = 20;

    /// <summary>Longer than the longest interval between two questions.</summary>
    private static readonly TimeSpan IdleMax = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<DeviceId, int> _streams = new();

    public async Task ServeAsync(IMeshConnection connection, IMeshStream stream, CancellationToken stopping)
    {
        try
        {
            if (_streams.AddOrUpdate(connection.RemoteId, 1, (_, open) => open + 1) > StreamsMax)
            {
                stream.Abort(StreamCodes.TooManyStreams);
                return;
            }

            await AnswerAsync(stream, stopping).ConfigureAwait(false);
        }
        finally
        {
            // The last one takes the entry with it: forgotten devices leave nothing behind.
            if (_streams.AddOrUpdate(connection.RemoteId, 0, (_, open) => open - 1) == 0)
            {
                _streams.TryRemove(KeyValuePair.Create(connection.RemoteId, 0));
            }
        }
    }

    private async Task AnswerAsync(IMeshStream stream, CancellationToken stopping)
    {
        byte[] question = new byte[PingQuestion.Size], answer = new byte[PingAnswer.Size];
        var allowance = new PingAllowance(PerSecondMax, BurstMax, time);
        while (true)
        {
            if (allowance.WaitFor() is { Ticks: > 0 } wait)
            {
                await Task.Delay(wait, time, stopping).ConfigureAwait(false);
            }

            using (var late = new CancellationTokenSource(IdleMax, time))
            using (var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping, late.Token))
            {
                try
                {
                    if (!await stream.TryFillAsync(question, patience.Token).ConfigureAwait(false))
                    {
                        await stream.CompleteWritesAsync().ConfigureAwait(false);
                        return;
                    }
                }
                catch (Exception gone) when (gone is StreamAbortedException || (gone is OperationCanceledException && !stopping.IsCancellationRequested))
                {
                    // The asking side is done, or has forgotten its stream.
                    stream.Abort(StreamCodes.Done);
                    return;
                }
            }

            new PingAnswer(PingQuestion.Read(question).Sequence, time.GetUtcNow().ToUnixTimeMilliseconds()).Write(answer);
            await stream.WriteAsync(answer, stopping).ConfigureAwait(false);
        }
    }
}
