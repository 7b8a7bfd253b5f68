using System.Net;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Transport.Udp;

/// <summary>Datagrams that came together from one sender: each as long as the first but the last, which may be shorter.</summary>
internal readonly ref struct ArrivedDatagrams(Span<byte> bytes, int datagramBytes, IPEndPoint from, EcnCodepoint ecn = EcnCodepoint.NotEct)
{
    public Span<byte> Bytes { get; } = bytes;

    /// <summary>At least 1.</summary>
    public int DatagramBytes { get; } = Math.Max(1, datagramBytes);

    public IPEndPoint From { get; } = from;

    /// <summary>What all of them came with; nothing where the system does not tell.</summary>
    public EcnCodepoint Ecn { get; } = ecn;

    public ArrivedDatagrams After(int bytes) => new(Bytes[bytes..], DatagramBytes, From, Ecn);

    /// <summary>The length of the first datagrams that are all packets for the same connection; of one datagram where the first is something else.</summary>
    public int BytesToOneReceiver()
    {
        int run = Math.Min(DatagramBytes, Bytes.Length);
        if (!IsPacket(Bytes[..run]))
        {
            return run;
        }

        ReadOnlySpan<byte> receiver = Bytes.Slice(PacketLayout.ConnectionIdOffset, ConnectionId.Size);
        while (run < Bytes.Length)
        {
            ReadOnlySpan<byte> next = Bytes.Slice(run, Math.Min(DatagramBytes, Bytes.Length - run));
            if (!IsPacket(next) || !next.Slice(PacketLayout.ConnectionIdOffset, ConnectionId.Size).SequenceEqual(receiver))
            {
                break;
            }

            run += next.Length;
        }

        return run;
    }

    private static bool IsPacket(ReadOnlySpan<byte> datagram) => datagram.Length >= PacketLayout.MinPacketBytes && Datagrams.KindOf(datagram) == DatagramKind.Packet;
}

/// <summary>Takes from a <see cref="UdpSocket"/> what has arrived, with as few calls as the operating system allows. Used by one thread.</summary>
internal abstract class DatagramReceiver : IDisposable
{
    /// <summary>Waits until something is there. False only when the socket was closed: news of earlier datagrams and a network that is down for a while are waited out.</summary>
    public abstract bool TryReceive(out int count);

    /// <summary>One of those that came with the last <see cref="TryReceive"/>. Its bytes may be written over.</summary>
    public abstract ArrivedDatagrams Get(int index);

    public abstract void Dispose();
}
