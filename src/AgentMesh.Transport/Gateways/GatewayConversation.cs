using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Transport.Gateways;

/// <summary>False for a datagram that is no answer to the request.</summary>
internal delegate bool TryReadAnswer<T>(ReadOnlySpan<byte> datagram, out T answer);

/// <summary>Requests over UDP to one server, one after the other. The socket is connected: datagrams of others never arrive.</summary>
internal sealed class GatewayConversation : IDisposable
{
    private const int AnswerBytesMax = 2048;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _buffer = new byte[AnswerBytesMax];
    private readonly IPEndPoint _server;
    private readonly TimeProvider _time;

    public GatewayConversation(IPEndPoint server, TimeProvider time)
    {
        _server = server;
        _time = time;
    }

    /// <summary>Sends until an answer comes or the schedule is over.</summary>
    public async ValueTask<Answer<T>> AskAsync<T>(byte[] request, RetransmissionSchedule schedule, TryReadAnswer<T> read, CancellationToken cancellationToken)
        where T : struct
    {
        try
        {
            if (!_socket.Connected)
            {
                await _socket.ConnectAsync(_server, cancellationToken).ConfigureAwait(false);
            }

            for (int sent = 1; sent <= schedule.Transmissions; sent++)
            {
                await _socket.SendAsync(request, cancellationToken).ConfigureAwait(false);
                if (await ReceiveAsync(schedule.WaitAfter(sent), read, cancellationToken).ConfigureAwait(false) is { } answer)
                {
                    return new Answer<T>(answer, "");
                }
            }
        }
        catch (SocketException error)
        {
            return new Answer<T>(null, error.SocketErrorCode == SocketError.ConnectionRefused ? "nobody listens there" : error.Message);
        }

        return new Answer<T>(null, "no answer");
    }

    public void Dispose() => _socket.Dispose();

    private async ValueTask<T?> ReceiveAsync<T>(TimeSpan wait, TryReadAnswer<T> read, CancellationToken cancellationToken)
        where T : struct
    {
        using var late = new CancellationTokenSource(wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            while (true)
            {
                int length = await _socket.ReceiveAsync(_buffer, either.Token).ConfigureAwait(false);
                if (read(_buffer.AsSpan(0, length), out T answer))
                {
                    return answer;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}

/// <param name="Value">Null without an answer.</param>
/// <param name="Why">There is none.</param>
internal readonly record struct Answer<T>(T? Value, string Why)
    where T : struct;
