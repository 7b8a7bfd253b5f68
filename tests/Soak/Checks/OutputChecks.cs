using AgentMesh.Node.Control;
using Soak.Nodes;
using Soak.Planning;
using Soak.Running;

namespace Soak.Checks;

/// <summary>What the home gives of a program's output: from the begin, and from random offsets.</summary>
internal sealed class OutputChecks(IReadOnlyList<SoakNode> nodes, Random random)
{
    private const int OffsetsOfAJob = 2;

    private static readonly TimeSpan ReadWithin = TimeSpan.FromSeconds(40);

    public async Task RunAsync(Board board, KnownJob known, JobView final)
    {
        NumberedLines program = known.Item.Lines!;
        for (int attempt = 1; attempt <= final.Attempt; attempt++)
        {
            bool isWhole = attempt == final.Attempt && final.State == "completed";
            await ReadAsync(board, known, program, attempt, 0, isWhole);
        }

        if (final.State == "completed")
        {
            board.Check(
                "the recorded lengths are those of what the program prints",
                final.StdoutBytes == program.Stdout.Length && final.StderrBytes == program.Stderr.Length,
                () => $"{known.Id}: {final.StdoutBytes} and {final.StderrBytes} instead of {program.Stdout.Length} and {program.Stderr.Length}");
            for (int i = 0; i < OffsetsOfAJob; i++)
            {
                await ReadAsync(board, known, program, final.Attempt, random.Next(program.Stdout.Length + 1), isWhole: true);
            }
        }
    }

    private async Task ReadAsync(Board board, KnownJob known, NumberedLines program, int attempt, long from, bool isWhole)
    {
        var tape = new OutputTape(program, from);
        string? failed = null;
        using var limit = new CancellationTokenSource(ReadWithin);
        try
        {
            // One stream where it is from an offset: the other is shorter.
            await foreach (OutputView piece in nodes[known.Home].Client.OutputAsync(known.Id, from > 0 ? "stdout" : null, attempt, from, follow: false, limit.Token))
            {
                tape.Add(piece.Attempt, piece.Stream, piece.Offset, piece.Data.ToArray());
            }
        }
        catch (Exception error) when (error is CodedException or LostException or OperationCanceledException)
        {
            failed = error.Message;
        }

        board.Check("output is read without an error", failed is null, () => $"{known.Id} attempt {attempt} from {from}: {failed}");
        board.Check("output has no gap, no repeat and nothing foreign", tape.Wrong is null, () => $"{known.Id} attempt {attempt} from {from}: {tape.Wrong}");
        if (isWhole)
        {
            bool whole = tape.IsWhole(attempt, "stdout") && (from > 0 || tape.IsWhole(attempt, "stderr"));
            board.Check(
                from == 0 ? "the final attempt's output has every line exactly once" : "the output from an offset is exactly the rest",
                whole,
                () => $"{known.Id} attempt {attempt} from {from}: it ends at {tape.Next(attempt, "stdout")} of {program.Stdout.Length}, stderr {tape.Next(attempt, "stderr")} of {program.Stderr.Length}");
        }
    }
}
