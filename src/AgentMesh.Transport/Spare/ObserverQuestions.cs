using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Transport.Spare;

/// <summary>Asks observers of beacons from where this device's datagrams seem to come: beacon-v1, "Observer". Thread-safe.</summary>
public sealed class ObserverQuestions
{
    private const int OpenMax = 64;
    private const int Tries = 3;

    private readonly ConcurrentDictionary<ulong, Waiting> _open = new();
    private readonly Action<byte[], IPEndPoint> _send;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;

    internal ObserverQuestions(Action<byte[], IPEndPoint> send, IEntropy entropy, TimeProvider time)
    {
        _send = send;
        _entropy = entropy;
        _time = time;
    }

    /// <param name="socket">Null for the endpoint's own.</param>
    /// <param name="fromOtherPort">The answer is to come from a port that was not asked.</param>
    /// <param name="timeout">Of one try; there are three.</param>
    /// <returns>Null when there was no answer.</returns>
    public Task<IPEndPoint?> AskAsync(SpareSocket? socket, IPEndPoint observer, UInt128 ticket, bool fromOtherPort, TimeSpan timeout, CancellationToken cancellationToken) =>
        AskAsync(socket, observer, nonce => ObserverMessages.Question(ticket, nonce, fromOtherPort), socket, Tries, timeout, cancellationToken);

    /// <summary>As <see cref="AskAsync(SpareSocket?, IPEndPoint, UInt128, bool, TimeSpan, CancellationToken)"/>, once.</summary>
    /// <param name="timeout">Of the one try.</param>
    public Task<IPEndPoint?> AskOnceAsync(SpareSocket? socket, IPEndPoint observer, UInt128 ticket, TimeSpan timeout, CancellationToken cancellationToken) =>
        AskAsync(socket, observer, nonce => ObserverMessages.Question(ticket, nonce, fromOtherPort: false), socket, 1, timeout, cancellationToken);

    /// <summary>Whether an answer that the observer sends to an outside port of a socket comes in there; asked once, by the endpoint's own socket.</summary>
    /// <returns>False also where the observer is of a version that does not know the question, or the datagram was lost.</returns>
    public async Task<bool> ReachesAsync(SpareSocket socket, int outsidePort, IPEndPoint observer, UInt128 ticket, TimeSpan timeout, CancellationToken cancellationToken) =>
        await AskAsync(null, observer, nonce => ObserverMessages.Question(ticket, nonce, fromOtherPort: false, (ushort)outsidePort), socket, 1, timeout, cancellationToken).ConfigureAwait(false) is not null;

    private async Task<IPEndPoint?> AskAsync(
        SpareSocket? socket, IPEndPoint observer, Func<ulong, byte[]> questionOf, SpareSocket? answered, int tries, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ulong nonce = NextNonce();
        var waiting = new Waiting(answered?.Number);
        TaskCompletionSource<IPEndPoint> answer = waiting.Answer;
        if (_open.Count >= OpenMax || !_open.TryAdd(nonce, waiting))
        {
            return null;
        }

        try
        {
            byte[] question = questionOf(nonce);
            for (int i = 0; i < tries && !answer.Task.IsCompleted; i++)
            {
                if (socket is null)
                {
                    _send(question, observer);
                }
                else
                {
                    socket.Send(question, observer);
                }

                await Task.WhenAny(answer.Task, Task.Delay(timeout, _time, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }

            return answer.Task.IsCompletedSuccessfully ? await answer.Task.ConfigureAwait(false) : null;
        }
        finally
        {
            _open.TryRemove(nonce, out _);
        }
    }

    /// <summary>Whether what one socket sends to the outside address of another one of this device comes back in.</summary>
    public async Task<bool> HairpinsAsync(SpareSocket from, IPEndPoint outside, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ulong nonce = NextNonce();
        var waiting = new Waiting(null) { IsAnywhere = true };
        Task<IPEndPoint> arrival = waiting.Answer.Task;
        if (_open.Count >= OpenMax || !_open.TryAdd(nonce, waiting))
        {
            return false;
        }

        try
        {
            from.Send(ObserverMessages.Answer(nonce, outside), outside);
            await Task.WhenAny(arrival, Task.Delay(timeout, _time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return arrival.IsCompletedSuccessfully;
        }
        finally
        {
            _open.TryRemove(nonce, out _);
        }
    }

    /// <param name="from">Where it came from, with the spare socket that it came to (<see cref="SpareAddress"/>).</param>
    internal void Take(ReadOnlySpan<byte> datagram, IPEndPoint from)
    {
        if (ObserverMessages.TryReadAnswer(datagram, out ulong nonce) is { } seen && _open.TryGetValue(nonce, out Waiting? waiting)
            && (waiting.IsAnywhere || waiting.Socket == (SpareAddress.TryRead(from, out ushort socket, out _) ? socket : (ushort?)null)))
        {
            waiting.Answer.TrySetResult(seen);
        }
    }

    private ulong NextNonce()
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        _entropy.Fill(random);
        return BinaryPrimitives.ReadUInt64BigEndian(random);
    }

    /// <param name="Socket">Where the answer is to come; null: to the endpoint's own.</param>
    private sealed record Waiting(ushort? Socket)
    {
        /// <summary>It may come to any socket.</summary>
        public bool IsAnywhere { get; init; }

        public TaskCompletionSource<IPEndPoint> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
