using System.Diagnostics;
using AgentMesh.Fuzz.Engine;

namespace AgentMesh.Fuzz.Running;

/// <summary>Fuzzes targets for some time and tells what it finds.</summary>
internal sealed class Session(FuzzOptions options, CurrentInput current)
{
    private readonly string _corpus = Path.Combine(options.Root, "tests", "Fuzz", "corpus");
    private readonly string _findings = Path.Combine(options.Root, "artifacts", "fuzz", "findings");

    /// <returns>How many targets have a finding.</returns>
    public int Run(IReadOnlyList<FuzzTarget> targets)
    {
        TimeSpan each = options.Time / targets.Count;
        Console.WriteLine($"seed {options.Seed}; {targets.Count} targets, {each.TotalSeconds:0.0} s each{(options is { IsInstrumented: true, IsPlain: false } ? ", guided by the blocks that run" : ", guided by results")}");
        return targets.Count(target => !Run(target, each));
    }

    public bool Replay(FuzzTarget target, string file)
    {
        Finding? finding = Trial.Run(target, Corpus.Read(file), out int result);
        Console.WriteLine(finding is null ? $"{target.Name}: {file} is borne, result {result}" : $"{target.Name}: {finding.Kind}: {finding.What}");
        return finding is null;
    }

    private bool Run(FuzzTarget target, TimeSpan time)
    {
        var fuzzer = new Fuzzer(target, options.Seed) { Trying = input => current.Set(target.Name, input) };
        var watch = Stopwatch.StartNew();
        foreach (byte[] seed in target.Seeds().Concat(Corpus.Of(_corpus, target.Name).Select(entry => entry.Bytes)))
        {
            if (fuzzer.Add(seed) is { } bad)
            {
                return Tell(target, bad);
            }
        }

        int keptBefore = 0, blocksBefore = Coverage.Count;
        while (watch.Elapsed < time)
        {
            if (fuzzer.Step() is { } bad)
            {
                return Tell(target, bad);
            }
        }

        if (options.Keep)
        {
            foreach (byte[] input in fuzzer.Kept.Where(input => input.Length <= options.KeepBytesMax).Take(options.KeepMax))
            {
                Corpus.Write(Path.Combine(_corpus, target.Name), target, input);
                keptBefore++;
            }
        }

        Console.WriteLine($"{target.Name,-30} {fuzzer.Tried,10:N0} inputs, {fuzzer.Kept.Count,5:N0} reached something new{(options is { IsPlain: false } ? $", {blocksBefore,5:N0} blocks before, {Coverage.Count,5:N0} after" : "")}{(keptBefore > 0 ? $", {keptBefore} kept" : "")}");
        return true;
    }

    private bool Tell(FuzzTarget target, Finding finding)
    {
        string file = Corpus.Write(Path.Combine(_findings, target.Name), target, finding.Input);
        Console.WriteLine($"{target.Name}: {finding.Kind} with an input of {finding.Input.Length} bytes, seed {options.Seed}");
        Console.WriteLine($"  {string.Join("\n  ", finding.What.Split('\n').Take(12))}");
        Console.WriteLine($"  input:  {Path.GetRelativePath(options.Root, file)}");
        Console.WriteLine($"  repeat: ./agentmesh fuzz --target {target.Name} --input {Path.GetRelativePath(options.Root, file)}");
        return false;
    }
}
