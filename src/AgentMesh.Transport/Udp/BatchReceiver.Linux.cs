using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using AgentMesh.Protocol.Packets;
using static AgentMesh.Transport.Udp.LinuxSockets;

namespace AgentMesh.Transport.Udp;

/// <summary>
/// Many datagrams with one call: <c>recvmmsg</c> for those that wait, each of which may hold many of one sender (UDP_GRO). The memory is the operating system's; only what is
/// written to becomes resident.
/// </summary>
internal sealed unsafe class BatchReceiver : DatagramReceiver
{
    private const int Messages = 32;
    private const int MessageBytes = 65_536;
    private const int ControlBytes = 64; // UDP_GRO and IP_TOS or IPV6_TCLASS, 24 each
    private const int EcnMask = 3;

    private readonly UdpSocket _socket;
    private readonly SenderCache _senders = new();
    private readonly SocketAddress _from;
    private readonly byte* _memory;
    private readonly ManyMessagesHeader* _headers;

    public BatchReceiver(UdpSocket socket)
    {
        _socket = socket;
        _from = new SocketAddress(socket.Family);
        const nuint perMessage = (nuint)(MessageBytes + AddressMax + 4 + ControlBytes) + 128;
        _memory = (byte*)NativeMemory.AlignedAlloc(Messages * perMessage, 4096);
        byte* small = _memory + (Messages * MessageBytes);
        _headers = (ManyMessagesHeader*)small;
        var vectors = (Vector*)(small + (Messages * sizeof(ManyMessagesHeader)));
        byte* controls = (byte*)(vectors + Messages);
        byte* names = controls + (Messages * ControlBytes);
        for (int i = 0; i < Messages; i++)
        {
            vectors[i] = new Vector { Base = _memory + (i * MessageBytes), Length = MessageBytes };
            _headers[i] = new ManyMessagesHeader
            {
                Message = new MessageHeader { Name = names + (i * (AddressMax + 4)), Vectors = vectors + i, VectorCount = 1, Control = controls + (i * ControlBytes) },
            };
        }
    }

    public override bool TryReceive(out int count)
    {
        for (int errors = 0; !_socket.IsClosed; errors++)
        {
            for (int i = 0; i < Messages; i++)
            {
                _headers[i].Message.NameLength = AddressMax;
                _headers[i].Message.ControlLength = ControlBytes;
            }

            try
            {
                count = recvmmsg(_socket.Handle, _headers, Messages, WaitForOne, null);
            }
            catch (ObjectDisposedException)
            {
                break;
            }

            if (count > 0 && !_socket.IsClosed)
            {
                return true;
            }

            if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                _socket.WaitAfterError(errors);
            }
        }

        count = 0;
        return false;
    }

    public override ArrivedDatagrams Get(int index)
    {
        ref ManyMessagesHeader header = ref _headers[index];
        int length = (int)(uint)header.Length;
        int nameLength = Math.Min((int)(uint)header.Message.NameLength, _from.Buffer.Length);
        _from.Size = nameLength;
        new ReadOnlySpan<byte>(header.Message.Name, nameLength).CopyTo(_from.Buffer.Span);
        (int each, EcnCodepoint ecn) = ReadControl(header.Message, length);
        return new ArrivedDatagrams(new Span<byte>(_memory + (index * MessageBytes), length), each, _senders.Find(_from, _socket.Local), ecn);
    }

    public override void Dispose() => NativeMemory.AlignedFree(_memory);

    /// <summary>What UDP_GRO says of the length of each, one where it says nothing, and what came in the bits of ECN.</summary>
    private static (int DatagramBytes, EcnCodepoint Ecn) ReadControl(in MessageHeader message, int length)
    {
        (int each, EcnCodepoint ecn) = (length, EcnCodepoint.NotEct);
        byte* at = (byte*)message.Control, end = at + message.ControlLength;
        while (end - at >= ControlHeader.Bytes)
        {
            var header = (ControlHeader*)at;
            nuint bytes = header->Length;
            if (bytes < ControlHeader.Bytes || bytes > (nuint)(end - at))
            {
                break;
            }

            nuint held = bytes - ControlHeader.Bytes;
            switch (header->Level, header->Type)
            {
                case (SolUdp, UdpGro) when held >= sizeof(int) && *(int*)(at + ControlHeader.Bytes) > 0:
                    each = Math.Min(*(int*)(at + ControlHeader.Bytes), length);
                    break;
                case (SolIp, IpTos) when held >= sizeof(byte):
                    ecn = (EcnCodepoint)(at[ControlHeader.Bytes] & EcnMask);
                    break;
                case (SolIpV6, IpV6TrafficClass) when held >= sizeof(int):
                    ecn = (EcnCodepoint)(*(int*)(at + ControlHeader.Bytes) & EcnMask);
                    break;
            }

            at += (bytes + 7) & ~(nuint)7;
        }

        return (each, ecn);
    }
}
