using AgentMesh.Errors;

namespace AgentMesh.Fuzz.Engine;

/// <summary>One parser of bytes that somebody else made, with what it may do to an input.</summary>
internal sealed record FuzzTarget
{
    /// <summary>Also the folder of its corpus.</summary>
    public required string Name { get; init; }

    /// <summary>Encodings as the product writes them: where mutation begins.</summary>
    public required Func<IEnumerable<byte[]>> Seeds { get; init; }

    /// <summary>Gives the parser an input. The number tells kinds of results apart: inputs with a new one are kept and mutated on.</summary>
    public required Func<byte[], int> Parse { get; init; }

    /// <summary>What it may throw. Parsers of datagrams and frames may throw nothing.</summary>
    public Func<Exception, bool> IsDeclared { get; init; } = static _ => false;

    /// <summary>Longest input that is made.</summary>
    public int InputBytesMax { get; init; } = 2_048;

    /// <summary>Bytes that an input of any length may cost.</summary>
    public int AllocatedBytesBase { get; init; } = 64 * 1024;

    /// <summary>Bytes that each byte of an input may cost beside.</summary>
    public int AllocatedBytesPerByte { get; init; } = 64;

    /// <summary>The best of three runs may take so long; generous, for machines that do other things too.</summary>
    public TimeSpan TimeMax { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Inputs are text: corpora are kept readable.</summary>
    public bool IsText { get; init; }

    /// <summary>Pieces that inputs are likely to need.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    public long AllocatedBytesMax(int inputBytes) => AllocatedBytesBase + ((long)inputBytes * AllocatedBytesPerByte);

    /// <summary>A text parser that refuses with a code, and says what to do next.</summary>
    public static bool HasCode(Exception error) =>
        error is MeshException { Code: ['A', 'M', _, _, _, _] code, NextStep: { } next } refused && code.AsSpan(2).IndexOfAnyExceptInRange('0', '9') < 0 && next.Trim().Length > 0 && refused.Message.Trim().Length > 0;
}
