using System.Buffers.Text;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Pairing;

/// <summary>The 128 random bits of an invitation. Whoever has them may pair once. Never log it: <see cref="ToString"/> does not show it.</summary>
public readonly struct InvitationSecret : IEquatable<InvitationSecret>
{
    public const int Size = 16;

    internal const int PresharedKeyBytes = 32;

    private readonly byte[]? _bytes;

    public InvitationSecret(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"an invitation secret has {Size} bytes, not {bytes.Length}", nameof(bytes));
        }

        _bytes = bytes.ToArray();
    }

    public bool IsNone => _bytes is null;

    /// <summary>For the link and for storage by the inviter.</summary>
    public ReadOnlySpan<byte> Span => _bytes;

    public InvitationId Id
    {
        get
        {
            Span<byte> id = stackalloc byte[InvitationId.Size];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, Span, id, default, "agentmesh invitation id"u8);
            return InvitationId.Read(id);
        }
    }

    /// <summary>What the inviter and who holds the link say to a beacon to be brought together there; it does not give the secret away.</summary>
    public UInt128 Meeting
    {
        get
        {
            Span<byte> meeting = stackalloc byte[16];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, Span, meeting, default, "agentmesh invitation meeting"u8);
            return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(meeting);
        }
    }

    public static InvitationSecret Next(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[Size];
        entropy.Fill(bytes);
        return new InvitationSecret(bytes);
    }

    /// <summary>The pre-shared key of the handshake that joins by this invitation.</summary>
    internal void WritePresharedKey(Span<byte> destination) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Span, destination[..PresharedKeyBytes], default, "agentmesh invitation psk"u8);

    internal string Encode() => Base64Url.EncodeToString(Span);

    public bool Equals(InvitationSecret other) => CryptographicOperations.FixedTimeEquals(Span, other.Span);

    public override bool Equals(object? obj) => obj is InvitationSecret other && Equals(other);

    public override int GetHashCode() => _bytes is null ? 0 : Id.GetHashCode();

    public override string ToString() => IsNone ? "(none)" : "(secret)";
}
