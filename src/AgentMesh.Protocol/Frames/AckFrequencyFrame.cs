namespace AgentMesh.Protocol.Frames;

/// <summary>
/// How long the receiver is asked to let packets wait that it acknowledges. Only to those that take it: see <see cref="Connections.TransportParameters.Takes"/>.
/// <code>
/// 0x32 | delay in microseconds
/// </code>
/// A variable-length integer; 0 takes back what was asked and wants this packet acknowledged at once.
/// </summary>
internal readonly record struct AckFrequencyFrame(TimeSpan Delay)
{
    // What is more than any receiver waits says no more than this.
    private const ulong MicrosecondsMax = 1_000_000;

    public int Size => 1 + VarInt.Size(Microseconds);

    private ulong Microseconds => (ulong)(Delay.Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Reads what follows the type.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> source, out AckFrequencyFrame frame)
    {
        bool isRead = VarInt.TryRead(ref source, out ulong microseconds);
        frame = new AckFrequencyFrame(TimeSpan.FromMicroseconds(Math.Min(microseconds, MicrosecondsMax)));
        return isRead;
    }

    /// <returns>Bytes written: <see cref="Size"/>.</returns>
    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)FrameType.AckFrequency;
        return 1 + VarInt.Write(destination[1..], Microseconds);
    }
}
