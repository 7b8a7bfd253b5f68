using Simulation.Engine;

namespace Simulation.Pipes;

/// <summary>What a program of a pipe does.</summary>
/// <param name="Makes">Bytes that it writes of its own, when its input has ended.</param>
/// <param name="Code">Of its end, when nothing comes between.</param>
/// <param name="StepBytes">At most so many are read, and written, at once.</param>
/// <param name="PauseMax">Between two steps, in seconds.</param>
internal sealed record ProgramPlan(long Makes, int Code, int StepBytes, double PauseMax)
{
    /// <summary>It closes its input after so many, as <c>head -c</c>; null reads to the end.</summary>
    public long? TakesOnly { get; init; }

    /// <summary>It writes nothing before its input has ended, as <c>sort</c>.</summary>
    public bool Sorts { get; init; }

    /// <summary>It writes nothing of what it reads, as <c>wc</c>.</summary>
    public bool Counts { get; init; }

    /// <summary>It fails with exit code 1 when it has read and written so many; null for never.</summary>
    public long? FailsAt { get; init; }

    /// <summary>It does not listen to SIGTERM.</summary>
    public bool IsStubborn { get; init; }

    /// <summary>Of the first two programs, as in <c>yes | head</c>: the one ends because the other one does.</summary>
    public static ProgramPlan OfEndless(SimLoop loop, int stage, long bytes)
    {
        ProgramPlan plan = By(loop, 0, bytes) with { FailsAt = null };
        return stage == 0 ? plan with { Makes = long.MaxValue } : plan with { Makes = 0, TakesOnly = bytes };
    }

    /// <param name="bytes">What comes from the first stage.</param>
    public static ProgramPlan By(SimLoop loop, int stage, long bytes)
    {
        Random random = loop.Random;
        int step = (int)Math.Clamp(bytes / random.Next(20, 200), 1, 100_000);
        double pause = loop.Chance(0.3) ? 0.4 : 0.01 + (random.NextDouble() * 0.25);
        var plan = new ProgramPlan(stage == 0 ? bytes : 0, loop.Chance(0.15) ? random.Next(2, 5) : 0, step, pause)
        {
            FailsAt = loop.Chance(0.06) ? random.NextInt64(bytes + 1) : null,
            IsStubborn = loop.Chance(0.1),
        };
        return stage == 0 ? plan : random.Next(8) switch
        {
            0 => plan with { TakesOnly = random.NextInt64(bytes + 1) },
            1 => plan with { Sorts = true },
            2 => plan with { Counts = true, Makes = random.Next(1, 30) },
            _ => plan,
        };
    }
}
