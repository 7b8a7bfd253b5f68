using System.Buffers.Binary;
using System.Net;

namespace AgentMesh.Protocol.Gateways;

/// <summary>
/// Messages of NAT-PMP (RFC 6886, section 3), as this device needs them: UDP mappings only. All numbers are big-endian.
/// <code>
/// ask address   0 version | 0 opcode
/// address       0 | 128 | 2 result | 4 epoch | 4 external address
/// ask mapping   0 | 1 | 2 reserved | 2 internal port | 2 suggested external port | 4 lifetime
/// mapping       0 | 129 | 2 result | 4 epoch | 2 internal port | 2 external port | 4 lifetime
/// </code>
/// </summary>
public static class NatPmp
{
    public const int ServerPort = 5351;

    /// <summary>Where gateways announce on 224.0.0.1 that they restarted or have another address (section 3.2.1).</summary>
    public const int AnnouncementPort = 5350;

    public const int AddressRequestBytes = 2;
    public const int MapRequestBytes = 12;

    private const byte Version = 0;
    private const byte AddressOpcode = 0;
    private const byte MapUdpOpcode = 1;
    private const byte Response = 128;
    private const int HeaderBytes = 8;
    private const int AddressResponseBytes = 12;
    private const int MapResponseBytes = 16;

    public static byte[] AddressRequest() => [Version, AddressOpcode];

    /// <param name="lifetime">Seconds; 0 deletes, and then the suggested port must be 0 too.</param>
    public static byte[] MapRequest(ushort internalPort, ushort suggestedExternalPort, uint lifetime)
    {
        byte[] request = new byte[MapRequestBytes];
        request[1] = MapUdpOpcode;
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(4), internalPort);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), suggestedExternalPort);
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(8), lifetime);
        return request;
    }

    /// <summary>An answer to <see cref="AddressRequest"/>, or an announcement. False for anything else.</summary>
    public static bool TryReadAddress(ReadOnlySpan<byte> datagram, out NatPmpAddress address)
    {
        address = default;
        if (!TryReadHeader(datagram, AddressOpcode, AddressResponseBytes, out ushort result, out uint epoch))
        {
            return false;
        }

        address = new NatPmpAddress(result, epoch, result == 0 ? new IPAddress(datagram[HeaderBytes..AddressResponseBytes]) : IPAddress.Any);
        return true;
    }

    public static bool TryReadMapping(ReadOnlySpan<byte> datagram, out NatPmpMapping mapping)
    {
        mapping = default;
        if (!TryReadHeader(datagram, MapUdpOpcode, MapResponseBytes, out ushort result, out uint epoch))
        {
            return false;
        }

        // A refusal may be the header alone.
        ReadOnlySpan<byte> rest = datagram[HeaderBytes..];
        mapping = rest.Length < MapResponseBytes - HeaderBytes
            ? new NatPmpMapping(result, epoch, 0, 0, 0)
            : new NatPmpMapping(
                result, epoch, BinaryPrimitives.ReadUInt16BigEndian(rest), BinaryPrimitives.ReadUInt16BigEndian(rest[2..]), BinaryPrimitives.ReadUInt32BigEndian(rest[4..]));
        return true;
    }

    public static string ResultText(int result) => result switch
    {
        0 => "success",
        1 => "it does not speak this version",
        2 => "it is not allowed to map ports",
        3 => "it has no external address itself",
        4 => "it has no free ports",
        5 => "it does not know the request",
        _ => $"result code {result}",
    };

    private static bool TryReadHeader(ReadOnlySpan<byte> datagram, byte opcode, int successBytes, out ushort result, out uint epoch)
    {
        (result, epoch) = (0, 0);
        if (datagram.Length < HeaderBytes || datagram.Length > successBytes || datagram[0] != Version || datagram[1] != (Response | opcode))
        {
            return false;
        }

        result = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
        epoch = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);
        return result != 0 || datagram.Length == successBytes;
    }
}

/// <param name="Epoch">Seconds since the gateway has its table of mappings.</param>
public readonly record struct NatPmpAddress(int Result, uint Epoch, IPAddress External);

/// <param name="Lifetime">Seconds that the gateway grants.</param>
public readonly record struct NatPmpMapping(int Result, uint Epoch, ushort InternalPort, ushort ExternalPort, uint Lifetime);
