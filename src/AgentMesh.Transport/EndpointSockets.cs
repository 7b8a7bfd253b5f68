using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Protocol.Packets;
using AgentMesh.Transport.Tracing;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport;

/// <summary>The sockets of an endpoint, one or more of each address family, and the threads that receive from them.</summary>
internal sealed class EndpointSockets : IDisposable
{
    private readonly List<UdpSocket> _sockets;
    private readonly List<Thread> _receivers = [];
    private PacketTrace? _trace;

    private EndpointSockets(List<UdpSocket> sockets) => _sockets = sockets;

    public IReadOnlyList<UdpSocket> All => _sockets;

    /// <summary>ECN can be used, whichever socket is taken.</summary>
    public bool CarryMarks => _sockets.TrueForAll(socket => socket.Info.CarriesMarks);

    /// <summary>Sees everything that is sent and received; null: nobody looks.</summary>
    public PacketTrace? Trace => Volatile.Read(ref _trace);

    /// <exception cref="MeshException">
    /// AM0130: an address cannot be listened on. Not for "all IPv6 addresses" beside others: many machines have none.
    /// </exception>
    public static EndpointSockets Bind(MeshEndpointSettings settings)
    {
        var sockets = new List<UdpSocket>();
        try
        {
            foreach (IPEndPoint local in settings.Listen)
            {
                if (TryBind(local, settings, mustBind: local.Equals(settings.Listen[^1]) && sockets.Count == 0) is { } socket)
                {
                    sockets.Add(socket);
                }
            }
        }
        catch
        {
            sockets.ForEach(socket => socket.Dispose());
            throw;
        }

        return new EndpointSockets(sockets);
    }

    /// <summary>Begins to receive.</summary>
    /// <param name="receive">Runs on a thread for each socket, until the socket is closed.</param>
    public void Start(Action<UdpSocket> receive)
    {
        foreach (UdpSocket socket in _sockets)
        {
            var receiver = new Thread(() => receive(socket)) { IsBackground = true, Name = $"mesh-udp {socket.Local}" };
            _receivers.Add(receiver);
            receiver.Start();
        }
    }

    /// <summary>Sends with the first socket of the family; see <see cref="UdpSocket.Send"/>.</summary>
    public SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to, EcnCodepoint ecn = EcnCodepoint.NotEct)
    {
        foreach (UdpSocket socket in _sockets)
        {
            if (socket.Family == to.Family)
            {
                Trace?.Take(socket.Local, (IPEndPoint)socket.Local.Create(to), isInbound: false, datagrams, datagramBytes);
                return socket.Send(datagrams, datagramBytes, to, ecn);
            }
        }

        return SendOutcome.Refused;
    }

    /// <summary>The blocks of <paramref name="trace"/>, which sees everything until <paramref name="cancellationToken"/> ends it.</summary>
    /// <exception cref="MeshException">AM0122: there is one already.</exception>
    public async IAsyncEnumerable<byte[]> TraceAsync(PacketTrace trace, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.CompareExchange(ref _trace, trace, null) is not null)
        {
            throw new MeshException(TransportErrors.TraceRuns, "a trace of this device runs already", "end it first: it ends when its reader does");
        }

        try
        {
            await foreach (byte[] block in trace.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return block;
            }
        }
        finally
        {
            Volatile.Write(ref _trace, null);
        }
    }

    /// <summary>Closes the sockets and waits until their threads have ended.</summary>
    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        foreach (Thread receiver in _receivers.Where(receiver => receiver != Thread.CurrentThread))
        {
            receiver.Join();
        }
    }

    private static UdpSocket? TryBind(IPEndPoint local, MeshEndpointSettings settings, bool mustBind)
    {
        bool isOptional = local.Address.Equals(IPAddress.IPv6Any) && !mustBind;
        if (isOptional && !Socket.OSSupportsIPv6)
        {
            return null;
        }

        try
        {
            return UdpSocket.Bind(local, settings.SocketBufferBytes, settings.Offload);
        }
        catch (MeshException error) when (isOptional && error.InnerException is SocketException { SocketErrorCode: SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable })
        {
            return null;
        }
    }
}
