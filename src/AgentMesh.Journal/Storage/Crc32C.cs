using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace AgentMesh.Journal.Storage;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor's instruction where it has one.</summary>
internal struct Crc32C
{
    private uint _state;

    public static Crc32C Start() => new() { _state = uint.MaxValue };

    public readonly uint Value => ~_state;

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        Crc32C crc = Start();
        crc.Add(bytes);
        return crc.Value;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        uint state = _state;
        while (bytes.Length >= 8)
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (byte b in bytes)
        {
            state = BitOperations.Crc32C(state, b);
        }

        _state = state;
    }

    public void Add(long value) => _state = BitOperations.Crc32C(_state, unchecked((ulong)value));

    /// <summary>Adds the length and the UTF-8 bytes, so that neighbouring texts cannot trade characters unseen.</summary>
    public void Add(string text)
    {
        int size = Encoding.UTF8.GetByteCount(text);
        Add((long)size);
        Span<byte> buffer = size <= 512 ? stackalloc byte[512] : new byte[size];
        Add(buffer[..Encoding.UTF8.GetBytes(text, buffer)]);
    }
}
