using System.Collections.Immutable;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Commands;

/// <summary>A line after its aliases were replaced.</summary>
/// <param name="Line">What a handler gets; empty for a program.</param>
/// <param name="Words">Program and arguments; empty for a handler.</param>
/// <param name="Alias">The alias that was typed; null when there was none.</param>
public sealed record ExpandedLine(string Line, ImmutableArray<string> Words, string? Alias);

/// <summary>
/// Short names for commands. The first word of a line is looked up among the aliases of the executing device, then among the caller's, and is
/// replaced together with what follows it; then again, until the first word is none.
/// </summary>
public static class Aliases
{
    /// <summary>Replacements of one line, and so the length of a chain of aliases.</summary>
    public const int DepthMax = 16;

    private const string ProgramVerb = "run";

    /// <exception cref="MeshException">AM0305: the aliases lead back to one of them, or are more than <see cref="DepthMax"/> deep. AM0301: a quote is not closed.</exception>
    public static ExpandedLine Expand(string line, IReadOnlyDictionary<string, string> own, IReadOnlyDictionary<string, string> callers)
    {
        var chain = new List<string>();
        string current = line.Trim();
        while (true)
        {
            (string first, string rest) = SplitFirst(current);
            if (!own.TryGetValue(first, out string? meaning) && !callers.TryGetValue(first, out meaning))
            {
                break;
            }

            if (chain.Contains(first) || chain.Count == DepthMax)
            {
                throw new MeshException(
                    MeshErrors.AliasLoop, $"the alias '{chain[0]}' never ends: {string.Join(" -> ", chain.Append(first))}", "change one of these aliases in the configuration ('agentmesh.commands')");
            }

            chain.Add(first);
            current = rest.Length == 0 ? meaning.Trim() : meaning.Trim() + " " + rest;
        }

        string? alias = chain.Count > 0 ? chain[0] : null;
        return TryReadProgram(current, out ImmutableArray<string> words) ? new ExpandedLine("", words, alias) : new ExpandedLine(current, [], alias);
    }

    /// <summary>The aliases that a line can reach: what a caller sends along.</summary>
    public static ImmutableSortedDictionary<string, string> Reachable(string line, IReadOnlyDictionary<string, string> aliases)
    {
        ImmutableSortedDictionary<string, string> reached = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        string current = line;
        while (true)
        {
            string first = SplitFirst(current.TrimStart()).First;
            if (reached.ContainsKey(first) || !aliases.TryGetValue(first, out string? meaning) || reached.Count == DepthMax)
            {
                return reached;
            }

            reached = reached.Add(first, meaning);
            current = meaning;
        }
    }

    /// <summary><c>run -- PROGRAM ARGS</c>; the dashes may be left out when the program's name does not begin with one.</summary>
    /// <exception cref="MeshException">AM0301: no program is named, or a quote is not closed.</exception>
    public static bool TryReadProgram(string line, out ImmutableArray<string> words)
    {
        words = [];
        (string first, string rest) = SplitFirst(line);
        if (first != ProgramVerb)
        {
            return false;
        }

        IReadOnlyList<string> read = Quoting.Split(rest);
        words = [.. read.Count > 0 && read[0] == "--" ? read.Skip(1) : read];
        if (words.IsEmpty || words[0].Length == 0)
        {
            throw CommandSyntax.Error(line, line.Length, "no program is named", "write 'run -- PROGRAM ARGUMENTS'");
        }

        if (words[0][0] == '-' && read[0] != "--")
        {
            throw CommandSyntax.Error(line, line.Length - rest.Length, $"'{words[0]}' is no program", "options stand before the devices: agentmesh run --env NAME=VALUE @peer -- PROGRAM");
        }

        return true;
    }

    private static (string First, string Tail) SplitFirst(string line)
    {
        int end = 0;
        while (end < line.Length && !char.IsWhiteSpace(line[end]))
        {
            end++;
        }

        return (line[..end], line[end..].TrimStart());
    }
}
