using System.Buffers.Binary;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// The connection ids that this device gives out: five random bytes and three that show itself, and nobody else, that the id was its own, also when it was started again and has
/// forgotten everything. To each belongs a secret that only the other side of the session was told (RFC 9000, section 10.3.2). Thread-safe.
/// </summary>
internal sealed class OwnConnectionIds
{
    public const int ResetTokenBytes = 16;

    private const int RandomBytes = 5;
    private const int MarkBytes = ConnectionId.Size - RandomBytes;
    private const byte Mark = 1, Token = 2;

    private readonly byte[] _key;
    private readonly IEntropy _entropy;

    /// <summary>The key follows from the identity, so it outlives the process without a file of its own.</summary>
    public OwnConnectionIds(DeviceIdentity identity, IEntropy entropy)
    {
        _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, identity.Seed.ToArray(), SHA256.HashSizeInBytes, info: "agentmesh connection ids 1"u8.ToArray());
        _entropy = entropy;
    }

    public ConnectionId Next()
    {
        Span<byte> id = stackalloc byte[ConnectionId.Size], mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        _entropy.Fill(id);
        Compute(Mark, id[..RandomBytes], mac);
        mac[..MarkBytes].CopyTo(id[RandomBytes..]);
        return ConnectionId.Read(id);
    }

    /// <summary>This device gave it out once. True by chance for one of sixteen million that it did not.</summary>
    public bool IsOwn(ConnectionId id)
    {
        Span<byte> bytes = stackalloc byte[ConnectionId.Size], mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        id.Write(bytes);
        Compute(Mark, bytes[..RandomBytes], mac);
        return CryptographicOperations.FixedTimeEquals(mac[..MarkBytes], bytes[RandomBytes..]);
    }

    /// <param name="destination">Gets <see cref="ResetTokenBytes"/> bytes.</param>
    public void WriteResetToken(ConnectionId id, Span<byte> destination)
    {
        Span<byte> bytes = stackalloc byte[ConnectionId.Size], mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        id.Write(bytes);
        Compute(Token, bytes, mac);
        mac[..ResetTokenBytes].CopyTo(destination);
    }

    private void Compute(byte purpose, ReadOnlySpan<byte> bytes, Span<byte> mac)
    {
        Span<byte> input = stackalloc byte[1 + ConnectionId.Size];
        input[0] = purpose;
        bytes.CopyTo(input[1..]);
        HMACSHA256.HashData(_key, input[..(1 + bytes.Length)], mac);
    }
}
