using System.Buffers.Binary;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>Start and share: a head, in a start the nameplate (2 bytes), and a share of CPace (32 bytes). All before the share is associated data of CPace.</summary>
internal static class CodeShares
{
    public const int StartDataBytes = CodeHead.Size + sizeof(ushort);
    public const int StartSize = StartDataBytes + Cpace.ShareBytes;
    public const int ShareSize = CodeHead.Size + Cpace.ShareBytes;

    public static ReadOnlySpan<byte> Channel => "agentmesh pairing 1"u8;

    public static ushort NameplateOf(ReadOnlySpan<byte> start) => BinaryPrimitives.ReadUInt16BigEndian(start[CodeHead.Size..]);

    public static ReadOnlySpan<byte> Session(ReadOnlySpan<byte> message) => message[CodeHead.SessionOffset..CodeHead.Size];

    /// <summary>A start whose share is still to be filled in, because it depends on the head.</summary>
    public static byte[] Start(UInt128 nonce, UInt128 cookie, ushort nameplate)
    {
        byte[] start = new CodeHead(CodeMessageType.Start, 0, nonce, cookie).ToBytes();
        BinaryPrimitives.WriteUInt16BigEndian(start.AsSpan(CodeHead.Size), nameplate);
        return start;
    }
}
