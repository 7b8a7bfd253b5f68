using System.Globalization;
using System.Security.Cryptography;
using AgentMesh.Errors;

namespace AgentMesh.Fuzz.Running;

/// <summary>What <c>./agentmesh fuzz</c> was asked for.</summary>
internal sealed record FuzzOptions
{
    public const string Help = """
        Usage: ./agentmesh fuzz [--target NAME] [--minutes N] [--seed N] [--plain] [--keep]
               ./agentmesh fuzz --target NAME --input FILE
               ./agentmesh fuzz --list

        Mutates inputs of every parser that takes bytes of others, for some minutes in all, and stops a target at the first input that it does not bear: an error that it does
        not declare, too much memory, too much time, the end of the process. Such an input is written to artifacts/fuzz/findings, with the command that repeats it.

          --target NAME   only this one; may be given more than once
          --minutes N     for all targets together; 5 unless given, fractions allowed
          --seed N        the same inputs again where results alone guide (--plain); otherwise the same beginning
          --plain         guided by results, without the copies of the product that count the blocks that run
          --keep          adds inputs that reached something new to tests/Fuzz/corpus
          --input FILE    gives the target this input, and tells what comes of it
          --list          the targets

        Exit code: 0 when every input was borne, 1 when not. docs/fuzzing.md says more.
        """;

    public required string Root { get; init; }

    public int Seed { get; init; } = RandomNumberGenerator.GetInt32(1, int.MaxValue);

    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(5);

    public IReadOnlyList<string> Targets { get; init; } = [];

    public string? Input { get; init; }

    public bool Keep { get; init; }

    public bool IsPlain { get; init; }

    public bool IsList { get; init; }

    /// <summary>Set for the process that runs on the copies.</summary>
    public bool IsInstrumented { get; init; }

    public int KeepMax { get; init; } = 9;

    public int KeepBytesMax { get; init; } = 300;

    public static FuzzOptions Parse(string[] arguments, string root)
    {
        var options = new FuzzOptions { Root = root };
        var targets = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            options = arguments[i] switch
            {
                "--seed" => options with { Seed = (int)Number(arguments, ref i) },
                "--minutes" => options with { Time = TimeSpan.FromMinutes(Number(arguments, ref i)) },
                "--input" => options with { Input = Path.GetFullPath(Value(arguments, ref i)) },
                "--keep" => options with { Keep = true },
                "--plain" => options with { IsPlain = true },
                "--list" => options with { IsList = true },
                "--instrumented" => options with { IsInstrumented = true },
                "--target" => Named(Value(arguments, ref i)),
                var other => throw Wrong($"'{other}' is no option here"),
            };
        }

        return options with { Targets = targets };

        FuzzOptions Named(string name)
        {
            targets.Add(name);
            return options;
        }
    }

    private static string Value(string[] arguments, ref int at) => ++at < arguments.Length ? arguments[at] : throw Wrong($"{arguments[at - 1]} needs a value");

    private static double Number(string[] arguments, ref int at)
    {
        string text = Value(arguments, ref at);
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= int.MaxValue ? value : throw Wrong($"'{text}' is no number that {arguments[at - 1]} takes");
    }

    private static MeshException Wrong(string what) => new("fuzz", what, "./agentmesh fuzz --help");
}
