using AgentMesh.Node.Control;
using Soak.Running;

namespace Soak.Checks;

/// <summary>What second readers, who followed a running program and went on after their node was killed, were given.</summary>
internal static class ReadingChecks
{
    public static void Run(Board board, History history, IReadOnlyDictionary<string, JobView> finals)
    {
        foreach (Reading reading in history.Readings)
        {
            string name = $"{reading.Job}, {reading.Resumed} times resumed, attempt {reading.Tape.Attempt}";
            board.Check("a following reader saw neither gap nor repeat", reading.Tape.Wrong is null, () => $"{name}: {reading.Tape.Wrong}");
            board.Check("a following reader came to an end", reading.IsEnded, () => $"{name}: {(reading.Refused is { } problem ? $"{problem.Code}: {problem.Message}" : "it still waits")}");
            if (!reading.IsEnded || finals.GetValueOrDefault(reading.Job) is not { State: "completed" } final)
            {
                continue;
            }

            // A reader that was resumed asked for the attempt that it had begun.
            board.Check("a following reader came to the final attempt", reading.Resumed > 0 || reading.Tape.Attempt == final.Attempt, () => $"{name}: {final.Attempt}");
            if (reading.Tape.Attempt == final.Attempt)
            {
                board.Check("a following reader of the final attempt got all of it", reading.Tape.IsWhole(final.Attempt, "stdout"), () => $"{name}: it ended at {reading.Tape.Next(final.Attempt, "stdout")} of {final.StdoutBytes}");
            }
        }
    }
}
