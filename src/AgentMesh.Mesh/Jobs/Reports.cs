using System.Collections.Immutable;
using System.Text;

namespace AgentMesh.Mesh.Jobs;

/// <summary>How far a program says it is. Not journalled: the next report replaces it, and a home that restarted has none until then.</summary>
/// <param name="Fraction">Of the whole, 0 to 1; null where it did not say.</param>
/// <param name="Text">What it does, at most <see cref="TextLengthMax"/> characters on one line; empty for nothing.</param>
public sealed record Progress(double? Fraction, string Text)
{
    public const int TextLengthMax = 200;

    /// <summary>What a device sends is not believed to keep to the bounds.</summary>
    public static Progress Bounded(double? fraction, string text)
    {
        double? sane = fraction is { } given && double.IsFinite(given) ? Math.Clamp(given, 0, 1) : null;
        var line = new StringBuilder();
        ReadOnlySpan<char> words = text.AsSpan().Trim();
        foreach (char each in words.Length > TextLengthMax ? words[..TextLengthMax] : words)
        {
            line.Append(char.IsControl(each) ? ' ' : each);
        }

        return new Progress(sane, line.ToString().TrimEnd());
    }
}

/// <summary>What a program left to go on from: the next attempt finds it, on whichever device. Journalled.</summary>
public sealed record Checkpoint(ImmutableArray<byte> Data)
{
    /// <summary>It travels in actor messages, which stay below 256 KiB; more belongs into files of the program.</summary>
    public const int BytesMax = 64 * 1024;

    public bool Equals(Checkpoint? other) => other is not null && Data.AsSpan().SequenceEqual(other.Data.AsSpan());

    public override int GetHashCode() => Data.Length;
}

/// <param name="Data">As it is journalled.</param>
/// <param name="Attempt">Which attempt left it.</param>
public sealed record KeptCheckpoint(Checkpoint Data, int Attempt, DateTimeOffset At);
