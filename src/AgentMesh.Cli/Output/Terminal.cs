using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentMesh.Errors;
using Spectre.Console;

namespace AgentMesh.Cli.Output;

/// <summary>Where results and messages go: results on stdout, everything about them on stderr, colours only for a person.</summary>
internal sealed class Terminal
{
    private Stream? _rawOut;
    private Stream? _rawError;

    private Terminal(bool json, bool colour, TextWriter output, TextWriter error)
    {
        Json = json;
        Out = output;
        Error = error;
        Console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = colour ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = colour ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        if (!colour)
        {
            // What goes to a program or a file must not be folded at a guessed width.
            Console.Profile.Width = 240;
        }
    }

    public bool Json { get; }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public IAnsiConsole Console { get; }

    /// <summary>Lines about what goes on, for a person at a terminal; null where there is none, or they are not wanted.</summary>
    public LiveLines? Live { get; private init; }

    public bool HasColours { get; private init; }

    /// <summary>For the output of programs, which need not be text.</summary>
    public Stream RawOut => _rawOut ??= System.Console.OpenStandardOutput();

    public Stream RawError => _rawError ??= System.Console.OpenStandardError();

    public static Terminal Create(bool json, bool noColour, TextWriter? output = null, TextWriter? error = null, bool noProgress = false)
    {
        bool colour = !noColour && !json && output is null && !System.Console.IsOutputRedirected &&
            string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        bool live = !noProgress && !json && error is null && !System.Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not "dumb";
        return new Terminal(json, colour, output ?? System.Console.Out, error ?? System.Console.Error) { Live = live ? LiveLines.OnStderr : null, HasColours = colour };
    }

    /// <summary>The same for a line whose output goes elsewhere.</summary>
    public Terminal Into(TextWriter output, Stream raw) => new(Json, colour: false, output, Error) { _rawOut = raw, Live = Live };

    public void PrintJson<T>(T value, JsonTypeInfo<T> type) => Out.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>The answer of a verb: the whole value for a program, a few words for a person.</summary>
    public void Answer<T>(T value, JsonTypeInfo<T> type, string words)
    {
        if (Json)
        {
            PrintJson(value, type);
        }
        else
        {
            Out.WriteLine(words);
        }
    }

    public void Note(string text) => Error.WriteLine(text);

    /// <summary>What a person does next; a program is not told.</summary>
    public void Hint(string text)
    {
        if (!Json)
        {
            Note(text);
        }
    }

    public void Problem(MeshException problem)
    {
        Error.WriteLine($"agentmesh: {problem.Code}: {problem.Message}");
        if (problem.NextStep is { Length: > 0 } next)
        {
            Error.WriteLine($"  next: {next}");
        }
    }

    /// <summary>A table without frames: it can be read by people and cut by awk.</summary>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        if (HasColours)
        {
            Console.Write(TextTable.Of(headings, rows));
        }
        else
        {
            TextTable.WriteLines(headings, rows, Out);
        }
    }

    /// <summary>A table about results, and not of them.</summary>
    public void Notes(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows) => TextTable.WriteLines(headings, rows, Error);
}
