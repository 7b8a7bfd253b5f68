using System.Runtime.InteropServices;
using System.Net.Sockets;

namespace AgentMesh.Transport.Udp;

/// <summary>The calls and structures of Linux that send and receive many datagrams at a time. Layouts are those of 64-bit systems, for both common C libraries.</summary>
internal static unsafe partial class LinuxSockets
{
    public const int SolIp = 0;
    public const int SolUdp = 17;
    public const int SolIpV6 = 41;

    /// <summary>IP_TOS and IPV6_TCLASS: the byte whose two low bits are those of ECN, of one datagram.</summary>
    public const int IpTos = 1;
    public const int IpV6TrafficClass = 67;

    /// <summary>IP_RECVTOS and IPV6_RECVTCLASS.</summary>
    public const int IpReceiveTos = 13;
    public const int IpV6ReceiveTrafficClass = 66;

    /// <summary>UDP_SEGMENT: one send becomes many datagrams of this length (16 bits).</summary>
    public const int UdpSegment = 103;

    /// <summary>UDP_GRO: datagrams of one sender may come in one receive, which tells their length (32 bits).</summary>
    public const int UdpGro = 104;

    /// <summary>Wait for the first message only.</summary>
    public const int WaitForOne = 0x10000;

    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int InvalidArgument = 22;
    public const int MessageTooLong = 90;
    public const int NotSupported = 95;

    /// <summary>Longest address: IPv6.</summary>
    public const int AddressMax = 28;

    public static bool IsSupported => OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendmsg(SafeSocketHandle socket, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int recvmmsg(SafeSocketHandle socket, ManyMessagesHeader* messages, uint count, int flags, void* timeout);

    [StructLayout(LayoutKind.Sequential)]
    public struct Vector
    {
        public void* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public nuint NameLength; // 32 bits and padding
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public nint Flags; // 32 bits and padding
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct ManyMessagesHeader
    {
        public MessageHeader Message;
        public nuint Length; // 32 bits and padding
    }

    /// <summary>The header of a control message; what it holds follows.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ControlHeader
    {
        public const int Bytes = 16;

        /// <summary>With up to 8 bytes behind it.</summary>
        public const int Space = 24;

        public nuint Length;
        public int Level;
        public int Type;
    }
}
