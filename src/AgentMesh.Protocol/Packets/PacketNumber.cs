namespace AgentMesh.Protocol.Packets;

/// <summary>Packet numbers have 64 bits; the low 32 travel (RFC 9000, appendix A.3, with a fixed length of four bytes).</summary>
internal static class PacketNumber
{
    private const ulong Window = 1UL << 32;
    private const ulong HalfWindow = Window / 2;

    /// <param name="expected">The greatest number received so far plus one.</param>
    /// <returns>The number with these low bits that is nearest to <paramref name="expected"/>.</returns>
    public static ulong Expand(uint truncated, ulong expected)
    {
        ulong candidate = (expected & ~(Window - 1)) | truncated;
        if (candidate < expected && expected - candidate >= HalfWindow && candidate <= ulong.MaxValue - Window)
        {
            return candidate + Window;
        }

        return candidate > expected && candidate - expected > HalfWindow && candidate >= Window ? candidate - Window : candidate;
    }
}
