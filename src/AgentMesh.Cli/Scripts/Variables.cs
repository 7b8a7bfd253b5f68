using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Cli.Scripts;

/// <summary>
/// The variables of a script or of a prompt. <c>$name</c> and <c>${name}</c> stand for what was kept, <c>$1</c> to <c>$9</c> for the arguments of the script,
/// <c>$?</c> for the exit code of the line before. Nothing is replaced between single quotes, nor after a backslash.
/// </summary>
internal sealed class Variables
{
    /// <summary>More names than this are a mistake.</summary>
    public const int Max = 1_000;

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal) { ["?"] = "0" };

    public IEnumerable<string> Names => _values.Keys.Where(name => char.IsLetter(name[0]) || name[0] == '_').Order(StringComparer.Ordinal);

    public int LastCode
    {
        set => _values["?"] = value.ToString(CultureInfo.InvariantCulture);
    }

    /// <returns>False when there are too many.</returns>
    public bool TrySet(string name, string value)
    {
        if (_values.Count >= Max && !_values.ContainsKey(name))
        {
            return false;
        }

        _values[name] = value;
        return true;
    }

    public void SetArguments(IReadOnlyList<string> arguments)
    {
        foreach ((int index, string argument) in arguments.Take(9).Index())
        {
            _values[(index + 1).ToString(CultureInfo.InvariantCulture)] = argument;
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out string? value) => _values.TryGetValue(name, out value);

    /// <summary>The line with the values in it. What is not known stays as it is.</summary>
    public string Expand(string line)
    {
        bool isWords = TakesWords(line);
        var text = new StringBuilder();
        int done = 0;
        foreach (Reference reference in Reference.In(line))
        {
            if (_values.TryGetValue(reference.Name, out string? value))
            {
                text.Append(line, done, reference.Start - done).Append(isWords ? Fitting(value, reference.IsQuoted) : value);
                done = reference.Start + reference.Length;
            }
        }

        return text.Append(line, done, line.Length - done).ToString();
    }

    /// <summary>A value is one word, or a part of one, where words are told apart; a command for a handler is text, and takes it as it is.</summary>
    private static string Fitting(string value, bool isQuoted) => isQuoted
        ? value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
        : Quoting.Quote(value);

    private static bool TakesWords(string line)
    {
        string[] words = line.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
        int verb = words is [['@', ..], ..] ? 1 : 0;
        return words.Length > verb && (words[verb] == "run" || (verb == 0 && words[0] is "map" or "cron" or "workflow" or "audit" or "ping" or "pipe" or "script"));
    }
}
