using System.Diagnostics;
using AgentMesh.Errors;
using AgentMesh.Fuzz.Engine;
using AgentMesh.Fuzz.Running;
using AgentMesh.Fuzz.Targets;

namespace AgentMesh.Fuzz;

internal static class Program
{
    public static int Main(string[] arguments)
    {
        if (arguments.Contains("--help") || arguments.Contains("-h"))
        {
            Console.WriteLine(FuzzOptions.Help);
            return 0;
        }

        try
        {
            return Run(FuzzOptions.Parse(arguments, Environment.GetEnvironmentVariable("AGENTMESH_ROOT") ?? Environment.CurrentDirectory), arguments);
        }
        catch (MeshException error)
        {
            Console.Error.WriteLine($"agentmesh: {error.Message}\n  {error.NextStep}");
            return 255;
        }
    }

    private static int Run(FuzzOptions options, string[] arguments)
    {
        FuzzTarget[] targets = [.. options.Targets.Count == 0 ? AllTargets.All : options.Targets.Select(AllTargets.Find)];
        string scratch = Path.Combine(options.Root, "artifacts", "fuzz"), current = Path.Combine(scratch, "current");
        if (options.IsList)
        {
            Console.WriteLine(string.Join('\n', targets.Select(target => target.Name)));
            return 0;
        }

        if (options.Input is { } input)
        {
            return targets.Length != 1 ? throw new MeshException("fuzz", "--input needs one --target", "./agentmesh fuzz --help")
                : new Session(options, new CurrentInput(null)).Replay(targets[0], input) ? 0 : 1;
        }

        Directory.CreateDirectory(scratch);
        if (options.IsInstrumented)
        {
            using var trying = new CurrentInput(current);
            return new Session(options, trying).Run(targets) == 0 ? 0 : 1;
        }

        // Another process: an input that ends it is told by the one that stays.
        string program = options.IsPlain ? typeof(Program).Assembly.Location : Instrumentation.Make(AppContext.BaseDirectory, Path.Combine(scratch, "instrumented"));
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        foreach (string each in (string[])[program, .. arguments, .. arguments.Contains("--seed") ? (string[])[] : ["--seed", options.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture)], "--instrumented"])
        {
            start.ArgumentList.Add(each);
        }

        using Process child = Process.Start(start)!;
        child.WaitForExit();
        if (child.ExitCode is not (0 or 1 or 255) && CurrentInput.Read(current) is { } last)
        {
            FuzzTarget target = AllTargets.Find(last.Target);
            string file = Corpus.Write(Path.Combine(scratch, "findings", target.Name), target, last.Input);
            Console.WriteLine($"{target.Name}: the process ended with {child.ExitCode} at an input of {last.Input.Length} bytes, seed {options.Seed}");
            Console.WriteLine($"  repeat: ./agentmesh fuzz --target {target.Name} --input {Path.GetRelativePath(options.Root, file)}");
            return 1;
        }

        return child.ExitCode;
    }
}
