using System.Diagnostics;
using AgentMesh.Errors;

namespace AgentMesh.Fuzz.Engine;

/// <summary>Gives one input to one target and holds it to its bounds.</summary>
internal static class Trial
{
    private const int Repeats = 3;

    /// <param name="result">Kinds of results have numbers of their own; errors as well, by type and code.</param>
    public static Finding? Run(FuzzTarget target, byte[] input, out int result)
    {
        (result, Exception? thrown, long allocated, TimeSpan took) = Measure(target, input);
        if (thrown is not null)
        {
            return new Finding(target.Name, FindingKind.Exception, thrown.ToString(), input);
        }

        // First runs compile and fill caches, and other programs take the processor: only what stays is a finding.
        long allocatedMax = target.AllocatedBytesMax(input.Length);
        for (int i = 1; i < Repeats && (allocated > allocatedMax || took > target.TimeMax); i++)
        {
            (_, _, long again, TimeSpan tookAgain) = Measure(target, input);
            (allocated, took) = (Math.Min(allocated, again), tookAgain < took ? tookAgain : took);
        }

        return allocated > allocatedMax ? new Finding(target.Name, FindingKind.Allocation, $"{allocated:N0} bytes allocated for {input.Length:N0} bytes of input; {allocatedMax:N0} may be", input)
            : took > target.TimeMax ? new Finding(target.Name, FindingKind.Time, $"{took.TotalMilliseconds:N0} ms for {input.Length:N0} bytes of input; {target.TimeMax.TotalMilliseconds:N0} may be", input)
            : null;
    }

    private static (int Result, Exception? Thrown, long Allocated, TimeSpan Took) Measure(FuzzTarget target, byte[] input)
    {
        // Parsers that decrypt in place may write on it.
        byte[] own = [.. input];
        int result;
        Exception? thrown = null;
        long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
        try
        {
            result = target.Parse(own);
        }
        catch (Exception error)
        {
            result = KindOf(error);
            thrown = target.IsDeclared(error) ? null : error;
        }

        return (result, thrown, GC.GetAllocatedBytesForCurrentThread() - before, Stopwatch.GetElapsedTime(start));
    }

    private static int KindOf(Exception error) =>
        // The first words of a message name the rule; what follows repeats the input.
        error is MeshException coded ? StableHash($"{coded.Code} {Words(coded.Message)}") : StableHash(error.GetType().Name);

    private static string Words(string message) => new([.. message.TakeWhile(c => c is not ('\'' or '"') && !char.IsAsciiDigit(c)).Take(40)]);

    private static int StableHash(string text)
    {
        uint hash = 2166136261;
        foreach (char each in text)
        {
            hash = (hash ^ each) * 16777619;
        }

        return (int)(hash | 0x80000000);
    }
}
