using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Mesh.Arrays;

/// <summary>
/// What differs in the command of each element: <c>{name}</c> is the value of a column, <c>{}</c> the number of a range, <c>{#}</c> the number of the element.
/// <c>{{name}}</c> stands for <c>{name}</c> itself. Other braces are left as they are, and so is <c>${name}</c>: a variable of a shell.
/// </summary>
public static class Placeholders
{
    private const string Number = "#";

    /// <exception cref="MeshException">AM0355 with the position: there is no such column. AM0358: a command is too long with its values.</exception>
    public static void Check(JobCommand template, ArrayItems items)
    {
        for (int index = 0; index < items.Count; index++)
        {
            JobCommand filled = Fill(template, items, index);
            int length = filled.Line.Length + filled.Words.Sum(word => word.Length) + filled.Environment.Sum(pair => pair.Value.Length) + (filled.Directory?.Length ?? 0);
            if (length > JobCommand.BytesMax / 2)
            {
                throw new MeshException(MeshErrors.ArrayTooLarge, $"the command of element {items.NumberOf(index)} has {length} characters; {JobCommand.BytesMax / 2} are the most", "put long values into a file that the program reads");
            }
        }
    }

    public static JobCommand Fill(JobCommand template, ArrayItems items, int index) => template with
    {
        Line = Fill(template.Line, items, index),
        Words = [.. template.Words.Select(word => Fill(word, items, index))],
        Environment = template.Environment.IsEmpty ? template.Environment : template.Environment.ToImmutableSortedDictionary(pair => pair.Key, pair => Fill(pair.Value, items, index), StringComparer.Ordinal),
        Directory = template.Directory is { } directory ? Fill(directory, items, index) : null,
    };

    private static string Fill(string text, ArrayItems items, int index)
    {
        int open = text.IndexOf('{', StringComparison.Ordinal);
        if (open < 0)
        {
            return text;
        }

        var filled = new StringBuilder(text.Length + 16);
        int at = 0;
        while (open >= 0)
        {
            filled.Append(text, at, open - at);
            at = Copy(text, open, items, index, filled);
            open = text.IndexOf('{', at);
        }

        return filled.Append(text, at, text.Length - at).ToString();
    }

    /// <returns>Where the text goes on.</returns>
    private static int Copy(string text, int open, ArrayItems items, int index, StringBuilder filled)
    {
        if (text.AsSpan(open).StartsWith("{{"))
        {
            int end = text.IndexOf("}}", open, StringComparison.Ordinal);
            if (end > 0 && IsPlaceholder(text.AsSpan(open + 2, end - open - 2), items))
            {
                filled.Append(text, open + 1, end - open);
                return end + 2;
            }
        }

        int close = text.IndexOf('}', open);
        if (close < 0 || !IsPlaceholder(text.AsSpan(open + 1, close - open - 1), items) || (open > 0 && text[open - 1] == '$'))
        {
            filled.Append('{');
            return open + 1;
        }

        string name = text[(open + 1)..close];
        int column = items.Names.IndexOf(name);
        filled.Append(name == Number ? items.NumberOf(index).ToString(CultureInfo.InvariantCulture) : column >= 0 ? items.Row(index)[column] : throw Unknown(text, open, name, items));
        return close + 1;
    }

    private static bool IsPlaceholder(ReadOnlySpan<char> name, ArrayItems items) => (name.IsEmpty && items.IsRange) || name.SequenceEqual(Number) || ParameterTable.IsName(name);

    private static MeshException Unknown(string text, int at, string name, ArrayItems items)
    {
        ImmutableArray<string> names = items.Names;
        string known = items.IsRange ? "a range has {} and {#}" : $"{(Nearest.Of(name, names) is { } near ? $"did you mean {{{near}}}? " : "")}known are: {string.Join(", ", names.Take(20).Select(each => $"{{{each}}}"))} and {{#}}";
        return CommandSyntax.Error(text, at, $"there is no value {{{name}}}", $"{known}; {{{{{name}}}}} stands for {{{name}}} itself", MeshErrors.UnknownPlaceholder);
    }
}
