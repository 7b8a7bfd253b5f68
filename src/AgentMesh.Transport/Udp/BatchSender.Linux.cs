using System.Net;
using System.Runtime.InteropServices;
using static AgentMesh.Transport.Udp.LinuxSockets;

namespace AgentMesh.Transport.Udp;

/// <summary>
/// Sends many equally long datagrams with one call (UDP_SEGMENT as a control message, so that threads and peers that share the socket do not disturb each other). Where the
/// system or the device in use refuses, the same bytes go out one by one at once. Thread-safe.
/// </summary>
internal sealed unsafe class BatchSender(UdpSocket socket)
{
    /// <summary>UDP_MAX_SEGMENTS of older kernels; what they take beyond is EINVAL.</summary>
    public const int DatagramsMax = 64;

    // Refusals in a row after which only every so many batches is tried again: a route may lead through another device later.
    private const int RefusalsMax = 8;
    private const int TryAgainEvery = 1024;

    private const int ControlHeaderBytes = 16;
    private const int ControlBytes = 24;

    private int _refusals;
    private int _batches;

    public SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to)
    {
        if (datagrams.Length <= datagramBytes)
        {
            return Outcome(Call(datagrams, 0, to));
        }

        int refusals = Volatile.Read(ref _refusals);
        if (refusals >= RefusalsMax && Interlocked.Increment(ref _batches) % TryAgainEvery != 0)
        {
            return SendEach(datagrams, datagramBytes, to);
        }

        int error = Call(datagrams, datagramBytes, to);
        if (error is not (InputOutput or InvalidArgument or NotSupported or MessageTooLong))
        {
            if (refusals > 0)
            {
                Volatile.Write(ref _refusals, 0);
            }

            return Outcome(error);
        }

        SendOutcome outcome = SendEach(datagrams, datagramBytes, to);
        if (outcome == SendOutcome.Sent)
        {
            // It was the batch that was refused, and not what is in it.
            Volatile.Write(ref _refusals, Math.Min(refusals + 1, RefusalsMax));
        }

        return outcome;
    }

    private SendOutcome SendEach(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to)
    {
        SendOutcome worst = SendOutcome.Sent;
        while (!datagrams.IsEmpty)
        {
            int length = Math.Min(datagramBytes, datagrams.Length);
            SendOutcome outcome = Outcome(Call(datagrams[..length], 0, to));
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
    private int Call(ReadOnlySpan<byte> bytes, int datagramBytes, SocketAddress to)
    {
        byte* control = stackalloc byte[ControlBytes];
        fixed (byte* name = to.Buffer.Span, data = bytes)
        {
            var vector = new Vector { Base = data, Length = (nuint)bytes.Length };
            var message = new MessageHeader { Name = name, NameLength = (nuint)to.Size, Vectors = &vector, VectorCount = 1 };
            if (datagramBytes > 0)
            {
                *(ControlHeader*)control = new ControlHeader { Length = ControlHeaderBytes + sizeof(ushort), Level = SolUdp, Type = UdpSegment };
                *(ulong*)(control + ControlHeaderBytes) = 0;
                *(ushort*)(control + ControlHeaderBytes) = (ushort)datagramBytes;
                message.Control = control;
                message.ControlLength = ControlBytes;
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
