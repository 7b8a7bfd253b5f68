using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Gateways.Upnp;

namespace AgentMesh.Transport.Gateways;

/// <summary>Looks for the description of the default gateway by SSDP. Answers of other hosts do not count: packets do not leave by them.</summary>
internal static class UpnpSearch
{
    private const int Rounds = 3;
    private const int DatagramsMax = 256;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1.3);

    /// <returns>Null when the gateway did not answer.</returns>
    /// <exception cref="SocketException">The network refuses multicast.</exception>
    public static async ValueTask<Uri?> FindAsync(DefaultRoute route, TimeProvider time, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(route.Local, 0));
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, route.Local.GetAddressBytes());
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 2);
        byte[] buffer = new byte[Ssdp.DatagramBytesMax + 1];
        int heard = 0;
        for (int round = 0; round < Rounds; round++)
        {
            foreach (string target in Ssdp.Targets)
            {
                await socket.SendToAsync(Ssdp.Search(target), Ssdp.Group, cancellationToken).ConfigureAwait(false);
            }

            // Some gateways hear multicast badly, and answer what is sent to themselves.
            await socket.SendToAsync(Ssdp.Search(Ssdp.Targets[0]), new IPEndPoint(route.Gateway, Ssdp.Group.Port), cancellationToken).ConfigureAwait(false);
            using var late = new CancellationTokenSource(RoundTime, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
            try
            {
                for (; heard < DatagramsMax; heard++)
                {
                    SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), either.Token).ConfigureAwait(false);
                    IPAddress from = ((IPEndPoint)received.RemoteEndPoint).Address;
                    if (from.Equals(route.Gateway) && Ssdp.TryRead(buffer.AsSpan(0, received.ReceivedBytes), from, out Uri? location))
                    {
                        return location;
                    }
                }

                return null;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The next round.
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
            {
                // The gateway does not listen for what was sent to it alone.
            }
        }

        return null;
    }
}
