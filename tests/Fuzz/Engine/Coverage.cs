namespace AgentMesh.Fuzz.Engine;

/// <summary>Which blocks of the product ran. The instrumented copies write here (docs/adr/0039); without them it stays empty and results alone tell inputs apart.</summary>
public static class Coverage
{
    public const int Blocks = 1 << 18;

#pragma warning disable CA2211 // instrumented code stores into it: a property would cost a call for each block
    public static byte[] Hits = new byte[Blocks];
#pragma warning restore CA2211

    private static readonly byte[] Seen = new byte[Blocks];

    public static int Count { get; private set; }

    internal static void Clear() => Array.Clear(Hits);

    /// <summary>Adds what ran since <see cref="Clear"/>; true where some of it had not run before.</summary>
    internal static bool TakeNew()
    {
        int before = Count;
        Span<byte> hits = Hits;
        for (int at = 0; (at = Next(hits, at)) < Blocks; at++)
        {
            if (Seen[at] == 0)
            {
                Seen[at] = 1;
                Count++;
            }
        }

        return Count > before;
    }

    internal static void Forget()
    {
        Array.Clear(Seen);
        Count = 0;
    }

    private static int Next(Span<byte> hits, int from)
    {
        int found = hits[from..].IndexOfAnyExcept((byte)0);
        return found < 0 ? Blocks : from + found;
    }
}
