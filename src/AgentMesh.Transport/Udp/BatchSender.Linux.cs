using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using AgentMesh.Protocol.Packets;
using static AgentMesh.Transport.Udp.LinuxSockets;

namespace AgentMesh.Transport.Udp;

/// <summary>
/// Sends many equally long datagrams with one call (UDP_SEGMENT as a control message, so that threads and peers that share the socket do not disturb each other). Where the
/// system or the device in use refuses, the same bytes go out one by one at once. What they ask of queues (ECN) goes along in the same way. Thread-safe.
/// </summary>
internal sealed unsafe class BatchSender(UdpSocket socket)
{
    /// <summary>UDP_MAX_SEGMENTS of older kernels; what they take beyond is EINVAL.</summary>
    public const int DatagramsMax = 64;

    // Refusals in a row after which only every so many batches is tried again: a route may lead through another device later.
    private const int RefusalsMax = 8;
    private const int TryAgainEvery = 1024;

    private int _refusals;
    private int _batches;
    private bool _refusesMarks;

    public SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to, EcnCodepoint ecn = EcnCodepoint.NotEct)
    {
        if (datagrams.Length <= datagramBytes)
        {
            return Outcome(Call(datagrams, 0, to, ecn));
        }

        int refusals = Volatile.Read(ref _refusals);
        if (refusals >= RefusalsMax && Interlocked.Increment(ref _batches) % TryAgainEvery != 0)
        {
            return SendEach(datagrams, datagramBytes, to, ecn);
        }

        int error = Call(datagrams, datagramBytes, to, ecn);
        if (error is not (InputOutput or InvalidArgument or NotSupported or MessageTooLong))
        {
            if (refusals > 0)
            {
                Volatile.Write(ref _refusals, 0);
            }

            return Outcome(error);
        }

        SendOutcome outcome = SendEach(datagrams, datagramBytes, to, ecn);
        if (outcome == SendOutcome.Sent)
        {
            // It was the batch that was refused, and not what is in it.
            Volatile.Write(ref _refusals, Math.Min(refusals + 1, RefusalsMax));
        }

        return outcome;
    }

    private SendOutcome SendEach(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to, EcnCodepoint ecn)
    {
        SendOutcome worst = SendOutcome.Sent;
        while (!datagrams.IsEmpty)
        {
            int length = Math.Min(datagramBytes, datagrams.Length);
            SendOutcome outcome = Outcome(Call(datagrams[..length], 0, to, ecn));
            worst = outcome > worst ? outcome : worst;
            datagrams = datagrams[length..];
        }

        return worst;
    }

    private static SendOutcome Outcome(int error) => error switch
    {
        0 => SendOutcome.Sent,
        MessageTooLong => SendOutcome.TooLong,
        _ => SendOutcome.Refused,
    };

    /// <returns>0 or the error.</returns>
    private int Call(ReadOnlySpan<byte> bytes, int datagramBytes, SocketAddress to, EcnCodepoint ecn)
    {
        bool marks = ecn != EcnCodepoint.NotEct && !Volatile.Read(ref _refusesMarks);
        int error = CallOnce(bytes, datagramBytes, to, marks ? ecn : EcnCodepoint.NotEct);
        if (error == InvalidArgument && marks)
        {
            error = CallOnce(bytes, datagramBytes, to, EcnCodepoint.NotEct);
            if (error == 0)
            {
                // The other side will not see any, and says so.
                Volatile.Write(ref _refusesMarks, true);
            }
        }

        return error;
    }

    private int CallOnce(ReadOnlySpan<byte> bytes, int datagramBytes, SocketAddress to, EcnCodepoint ecn)
    {
        byte* control = stackalloc byte[2 * ControlHeader.Space];
        int controlBytes = 0;
        if (datagramBytes > 0)
        {
            *(ControlHeader*)control = new ControlHeader { Length = ControlHeader.Bytes + sizeof(ushort), Level = SolUdp, Type = UdpSegment };
            *(ulong*)(control + ControlHeader.Bytes) = 0;
            *(ushort*)(control + ControlHeader.Bytes) = (ushort)datagramBytes;
            controlBytes = ControlHeader.Space;
        }

        if (ecn != EcnCodepoint.NotEct)
        {
            bool isIpV6 = to.Family == AddressFamily.InterNetworkV6;
            byte* at = control + controlBytes;
            *(ControlHeader*)at = new ControlHeader { Length = ControlHeader.Bytes + sizeof(int), Level = isIpV6 ? SolIpV6 : SolIp, Type = isIpV6 ? IpV6TrafficClass : IpTos };
            *(ulong*)(at + ControlHeader.Bytes) = 0;
            *(int*)(at + ControlHeader.Bytes) = (int)ecn;
            controlBytes += ControlHeader.Space;
        }

        fixed (byte* name = to.Buffer.Span, data = bytes)
        {
            var vector = new Vector { Base = data, Length = (nuint)bytes.Length };
            var message = new MessageHeader { Name = name, NameLength = (nuint)to.Size, Vectors = &vector, VectorCount = 1 };
            if (controlBytes > 0)
            {
                message.Control = control;
                message.ControlLength = (nuint)controlBytes;
            }

            try
            {
                while (sendmsg(socket.Handle, &message, 0) < 0)
                {
                    int error = Marshal.GetLastPInvokeError();
                    if (error != Interrupted)
                    {
                        return error == 0 ? InputOutput : error;
                    }
                }
            }
            catch (ObjectDisposedException)
            {
                return int.MaxValue;
            }
        }

        return 0;
    }
}
