using Soak.Planning;

namespace Soak.Running;

/// <summary>
/// What one reader was given of a program's output. Each piece must follow the one before it in its attempt and stream, and hold exactly what the
/// program prints there.
/// </summary>
/// <param name="from">Offset that the reader asked for, in the attempt that it read first; those that follow are read from their beginning.</param>
internal sealed class OutputTape(NumberedLines program, long from)
{
    private readonly Dictionary<(int Attempt, string Stream), long> _next = [];
    private int _first;

    /// <summary>The first thing that was wrong.</summary>
    public string? Wrong { get; private set; }

    /// <summary>The newest attempt that something was read of; 0 for none.</summary>
    public int Attempt { get; private set; }

    public long Next(int attempt, string stream) => _next.GetValueOrDefault((attempt, stream), _first == 0 || attempt == _first ? from : 0);

    public bool IsWhole(int attempt, string stream) => Next(attempt, stream) >= program.Expected(stream).Length;

    public void Add(int attempt, string stream, long offset, ReadOnlySpan<byte> data)
    {
        if (_first == 0)
        {
            // The attempt that was asked for may have been lost before it came as far as that.
            _first = offset == 0 && attempt > 1 ? attempt - 1 : attempt;
        }

        long next = Next(attempt, stream);
        byte[] expected = program.Expected(stream);
        if (attempt < Attempt)
        {
            Report($"a piece of attempt {attempt} came after one of attempt {Attempt}");
        }
        else if (offset != next)
        {
            Report($"{stream} of attempt {attempt}: a piece begins at {offset}, the one before ended at {next}");
        }
        else if (offset + data.Length > expected.Length || !data.SequenceEqual(expected.AsSpan((int)offset, data.Length)))
        {
            Report($"{stream} of attempt {attempt}: {data.Length} bytes at {offset} are not what the program prints there");
        }

        Attempt = Math.Max(Attempt, attempt);
        _next[(attempt, stream)] = offset + data.Length;
    }

    private void Report(string wrong) => Wrong ??= wrong;
}
