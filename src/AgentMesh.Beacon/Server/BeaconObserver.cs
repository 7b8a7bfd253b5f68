using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Beacon.Server;

/// <summary>
/// The observer of a beacon: a port beside its own, which tells whoever has a ticket from where a datagram came. It shares nothing with the relay, whose datagrams
/// do not wait for it.
/// </summary>
internal sealed class BeaconObserver : IDisposable
{
    private const int ErrorsMax = 1_000;

    private readonly List<(Socket Socket, Socket Other)> _sockets = [];
    private readonly CancellationTokenSource _stop = new();

    private BeaconObserver()
    {
    }

    public int Port { get; private set; }

    /// <summary>On the addresses of the beacon, at the port after its own; at any free one where that is any.</summary>
    /// <returns>Null where the port cannot be had: then there is no observer.</returns>
    public static BeaconObserver? TryOpen(IReadOnlyList<IPEndPoint> listen)
    {
        var observer = new BeaconObserver();
        foreach (IPEndPoint local in listen)
        {
            int port = observer.Port != 0 ? observer.Port : local.Port == 0 ? 0 : local.Port + 1;
            if (port <= ushort.MaxValue && TryBind(new IPEndPoint(local.Address, port)) is { } socket)
            {
                observer.Port = ((IPEndPoint)socket.LocalEndPoint!).Port;
                if (TryBind(new IPEndPoint(local.Address, 0)) is { } other)
                {
                    observer._sockets.Add((socket, other));
                    continue;
                }

                socket.Dispose();
            }
        }

        if (observer._sockets.Count > 0)
        {
            return observer;
        }

        observer.Dispose();
        return null;
    }

    /// <summary>Until it is closed.</summary>
    /// <param name="isAdmitted">Whether a ticket is good for one more answer.</param>
    public Task ServeAsync(Func<UInt128, bool> isAdmitted) => Task.WhenAll(_sockets.Select(each => ServeAsync(each.Socket, each.Other, isAdmitted)));

    public void Dispose()
    {
        _stop.Cancel();
        foreach ((Socket socket, Socket other) in _sockets)
        {
            socket.Dispose();
            other.Dispose();
        }
    }

    private async Task ServeAsync(Socket socket, Socket other, Func<UInt128, bool> isAdmitted)
    {
        byte[] buffer = new byte[ObserverMessages.QuestionBytes + 1];
        EndPoint any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        for (int errors = 0; errors < ErrorsMax && !_stop.IsCancellationRequested;)
        {
            try
            {
                SocketReceiveFromResult came = await socket.ReceiveFromAsync(buffer, SocketFlags.None, any, _stop.Token).ConfigureAwait(false);
                var from = (IPEndPoint)came.RemoteEndPoint;
                if (ObserverMessages.TryReadQuestion(buffer.AsSpan(0, came.ReceivedBytes), out UInt128 ticket, out ulong nonce, out bool fromOtherPort, out ushort answerTo) && isAdmitted(ticket))
                {
                    (fromOtherPort ? other : socket).SendTo(ObserverMessages.Answer(nonce, from), answerTo == 0 ? from : new IPEndPoint(from.Address, answerTo));
                }
            }
            catch (SocketException)
            {
                // News of an earlier answer, a datagram that is too long, or a network that is away.
                errors++;
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static Socket? TryBind(IPEndPoint local)
    {
        if (local.AddressFamily == AddressFamily.InterNetworkV6 && !Socket.OSSupportsIPv6)
        {
            return null;
        }

        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (local.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            socket.Bind(local);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
