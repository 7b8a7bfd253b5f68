namespace AgentMesh.Protocol.Frames;

/// <summary>
/// How many packets of the connection arrived with each mark, on all paths together, up to the ACK frame that follows in the same packet. Only to those that take it: see
/// <see cref="Connections.TransportParameters.Takes"/>.
/// <code>
/// 0x31 | ECT(0) | ECT(1) | CE
/// </code>
/// All numbers are variable-length integers.
/// </summary>
internal readonly record struct EcnCountsFrame(ulong Ect0, ulong Ect1, ulong Ce)
{
    public int Size => 1 + VarInt.Size(Ect0) + VarInt.Size(Ect1) + VarInt.Size(Ce);

    /// <summary>Reads what follows the type.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> source, out EcnCountsFrame frame)
    {
        frame = default;
        if (!VarInt.TryRead(ref source, out ulong ect0) || !VarInt.TryRead(ref source, out ulong ect1) || !VarInt.TryRead(ref source, out ulong ce))
        {
            return false;
        }

        frame = new EcnCountsFrame(ect0, ect1, ce);
        return true;
    }

    /// <returns>Bytes written: <see cref="Size"/>.</returns>
    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)FrameType.EcnCounts;
        int length = 1;
        length += VarInt.Write(destination[length..], Ect0);
        length += VarInt.Write(destination[length..], Ect1);
        length += VarInt.Write(destination[length..], Ce);
        return length;
    }
}
