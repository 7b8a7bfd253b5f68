namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>The bytes that belong at an offset of a stream: any byte that is lost, repeated or put elsewhere is seen.</summary>
internal static class TestData
{
    // A prime, so that no offset that programs like is a multiple of it.
    private const int Period = 65_521;

    private static readonly byte[] Bytes = Make();

    public static void Fill(ulong stream, ulong offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            Span<byte> run = Run(stream, offset, destination.Length);
            run.CopyTo(destination);
            destination = destination[run.Length..];
            offset += (ulong)run.Length;
        }
    }

    public static bool Matches(ulong stream, ulong offset, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            Span<byte> run = Run(stream, offset, data.Length);
            if (!data.StartsWith(run))
            {
                return false;
            }

            data = data[run.Length..];
            offset += (ulong)run.Length;
        }

        return true;
    }

    private static Span<byte> Run(ulong stream, ulong offset, int length)
    {
        int at = (int)((offset + (stream * 7919)) % Period);
        return Bytes.AsSpan(at, Math.Min(length, Period - at));
    }

    private static byte[] Make()
    {
        byte[] bytes = new byte[Period];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
