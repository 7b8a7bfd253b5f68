using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
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
    private const int ControlBytes = 64;

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
        return new ArrivedDatagrams(new Span<byte>(_memory + (index * MessageBytes), length), DatagramBytes(header.Message, length), _senders.Find(_from, _socket.Local));
    }

    public override void Dispose() => NativeMemory.AlignedFree(_memory);

    /// <summary>What UDP_GRO says of the length of each; without a word there is one.</summary>
    private static int DatagramBytes(in MessageHeader message, int length)
    {
        const int headerBytes = 16;
        byte* at = (byte*)message.Control, end = at + message.ControlLength;
        while (end - at >= headerBytes)
        {
            var header = (ControlHeader*)at;
            nuint bytes = header->Length;
            if (bytes < headerBytes || bytes > (nuint)(end - at))
            {
                break;
            }

            if (header->Level == SolUdp && header->Type == UdpGro && bytes >= headerBytes + sizeof(int))
            {
                int each = *(int*)(at + headerBytes);
                return each > 0 ? Math.Min(each, length) : length;
            }

            at += (bytes + 7) & ~(nuint)7;
        }

        return length;
    }
}
