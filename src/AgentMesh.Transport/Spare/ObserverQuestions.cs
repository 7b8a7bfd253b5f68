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

    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<IPEndPoint>> _open = new();
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
    public async Task<IPEndPoint?> AskAsync(SpareSocket? socket, IPEndPoint observer, UInt128 ticket, bool fromOtherPort, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ulong nonce = NextNonce();
        var answer = new TaskCompletionSource<IPEndPoint>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_open.Count >= OpenMax || !_open.TryAdd(nonce, answer))
        {
            return null;
        }

        try
        {
            byte[] question = ObserverMessages.Question(ticket, nonce, fromOtherPort);
            for (int i = 0; i < Tries && !answer.Task.IsCompleted; i++)
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
        var arrival = new TaskCompletionSource<IPEndPoint>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_open.Count >= OpenMax || !_open.TryAdd(nonce, arrival))
        {
            return false;
        }

        try
        {
            from.Send(ObserverMessages.Answer(nonce, outside), outside);
            await Task.WhenAny(arrival.Task, Task.Delay(timeout, _time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return arrival.Task.IsCompletedSuccessfully;
        }
        finally
        {
            _open.TryRemove(nonce, out _);
        }
    }

    internal void Take(ReadOnlySpan<byte> datagram)
    {
        if (ObserverMessages.TryReadAnswer(datagram, out ulong nonce) is { } seen && _open.TryGetValue(nonce, out TaskCompletionSource<IPEndPoint>? waiting))
        {
            waiting.TrySetResult(seen);
        }
    }

    private ulong NextNonce()
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        _entropy.Fill(random);
        return BinaryPrimitives.ReadUInt64BigEndian(random);
    }
}
