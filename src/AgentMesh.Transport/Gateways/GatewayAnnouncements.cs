using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Transport.Gateways;

/// <summary>Hears gateways say on the local network that they restarted or have another address (RFC 6886, section 3.2.1; RFC 6887, section 14.1).</summary>
internal sealed class GatewayAnnouncements : IAsyncDisposable
{
    private static readonly IPAddress AllHosts = new((ReadOnlySpan<byte>)[224, 0, 0, 1]);

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket? _socket;
    private readonly Task _hearing;

    /// <param name="heard">On a thread of the pool; the sender is not proven.</param>
    public GatewayAnnouncements(Action<IPAddress> heard)
    {
        _socket = TryOpen();
        _hearing = _socket is null ? Task.CompletedTask : Task.Run(() => HearAsync(_socket, heard));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _hearing.ConfigureAwait(false);
        _socket?.Dispose();
        _stop.Dispose();
    }

    // Without it a restart is noticed by the next check.
    private static Socket? TryOpen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Any, NatPmp.AnnouncementPort));
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }

        try
        {
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(AllHosts));
        }
        catch (SocketException)
        {
            // Every host is a member of this group anyway.
        }

        return socket;
    }

    private async Task HearAsync(Socket socket, Action<IPAddress> heard)
    {
        byte[] buffer = new byte[Pcp.DatagramBytesMax];
        var anybody = new IPEndPoint(IPAddress.Any, 0);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, anybody, _stop.Token).ConfigureAwait(false);
                ReadOnlyMemory<byte> datagram = buffer.AsMemory(0, received.ReceivedBytes);
                if (NatPmp.TryReadAddress(datagram.Span, out _) || Pcp.TryReadAnnounce(datagram.Span, out _))
                {
                    heard(((IPEndPoint)received.RemoteEndPoint).Address);
                }
            }
            catch (SocketException)
            {
                // Too long, or news of the network: another may follow.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
