using System.Buffers.Binary;

namespace Simulation.Pipes;

/// <summary>What a program writes: at each offset a byte of its own, so that one which is missing, doubled or at another place shows.</summary>
internal static class PipeContent
{
    public static void Fill(ulong key, long offset, Span<byte> bytes)
    {
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        for (int at = 0; at < bytes.Length;)
        {
            int within = (int)((offset + at) % sizeof(ulong)), count = Math.Min(bytes.Length - at, sizeof(ulong) - within);
            BinaryPrimitives.WriteUInt64LittleEndian(word, Mix(key + (ulong)((offset + at) / sizeof(ulong))));
            word.Slice(within, count).CopyTo(bytes[at..]);
            at += count;
        }
    }

    public static bool Is(ulong key, long offset, ReadOnlySpan<byte> bytes)
    {
        byte[] expected = new byte[bytes.Length];
        Fill(key, offset, expected);
        return bytes.SequenceEqual(expected);
    }

    // SplitMix64: neighbours have nothing in common.
    private static ulong Mix(ulong n)
    {
        n = unchecked((n + 1) * 0x9e3779b97f4a7c15);
        n = unchecked((n ^ (n >> 30)) * 0xbf58476d1ce4e5b9);
        n = unchecked((n ^ (n >> 27)) * 0x94d049bb133111eb);
        return n ^ (n >> 31);
    }
}
