using System.Net;
using System.Net.WebSockets;

namespace AgentMesh.Transport.Tunnels;

/// <summary>
/// Datagrams over a WebSocket, one in each binary message (docs/protocol/beacon-ws-v1.md). What is in them is for the endpoint to judge: the socket, and TLS and proxies
/// below it, are trusted with nothing. Ends itself when the other side does not keep to the format. Owns the socket.
/// </summary>
public sealed class WebSocketTunnel : IDatagramTunnel, IDisposable
{
    public const string SubProtocol = "agentmesh-beacon.v1";

    /// <summary>Greatest message; more than a datagram has.</summary>
    public const int MessageBytesMax = 2048;

    private readonly WebSocket _socket;
    private readonly MeshEndpoint _endpoint;
    private readonly DatagramQueue _queue;

    public WebSocketTunnel(WebSocket socket, MeshEndpoint endpoint, WebSocketTunnelSettings? settings = null)
    {
        settings ??= new WebSocketTunnelSettings();
        _socket = socket;
        _endpoint = endpoint;
        _queue = new DatagramQueue(settings.QueueBytesMax, settings.QueueTimeMax, endpoint.Time);
        Address = endpoint.Tunnels.Add(this);
    }

    /// <summary>Stands for the tunnel wherever an address is wanted.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Datagrams that were lost here because the stream did not carry them in time.</summary>
    public long Dropped => _queue.Dropped;

    public void Send(ReadOnlySpan<byte> datagram) => _queue.Enqueue(datagram);

    /// <summary>Carries datagrams until either side or the token ends it; never faults. The address means nothing afterwards.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task sending = SendAllAsync(over.Token), receiving = ReceiveAllAsync(over.Token);
        await Task.WhenAny(sending, receiving).ConfigureAwait(false);
        _queue.Close();
        await over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(sending, receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Dispose();
    }

    public void Dispose()
    {
        _queue.Close();
        _socket.Abort();
        _socket.Dispose();
        _endpoint.EndTunnel(Address);
    }

    private async Task SendAllAsync(CancellationToken cancellationToken)
    {
        while (await _queue.DequeueAsync(cancellationToken).ConfigureAwait(false) is var (buffer, length))
        {
            try
            {
                await _socket.SendAsync(buffer.AsMemory(0, length), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                DatagramQueue.Return(buffer);
            }
        }
    }

    private async Task ReceiveAllAsync(CancellationToken cancellationToken)
    {
        byte[] message = new byte[MessageBytesMax];
        while (true)
        {
            int length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await _socket.ReceiveAsync(message.AsMemory(length), cancellationToken).ConfigureAwait(false);
                length += part.Count;

                // A full buffer without an end is too long; parts without bytes would go on for ever.
                if (part.MessageType != WebSocketMessageType.Binary || (!part.EndOfMessage && (length == message.Length || part.Count == 0)))
                {
                    return;
                }
            }
            while (!part.EndOfMessage);
            _endpoint.Receive(message.AsSpan(0, length), Address);
        }
    }
}

/// <summary>Bounds of a <see cref="WebSocketTunnel"/>. Immutable.</summary>
public sealed record WebSocketTunnelSettings
{
    /// <summary>Bytes that wait to be sent; the oldest are lost first.</summary>
    public int QueueBytesMax { get; init; } = 256 * 1024;

    /// <summary>What has waited longer is lost while there is more than a few datagrams: as long a wait as a full queue of a router has.</summary>
    public TimeSpan QueueTimeMax { get; init; } = TimeSpan.FromMilliseconds(250);
}
