using System.Collections.Immutable;
using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Arrays;

/// <summary>
/// Comma-separated values as RFC 4180 has them: a line of names, then a row for each element. A field may stand in double quotes, then a quote in it is
/// written twice and commas and line ends belong to it. Lines end with LF or CRLF; empty lines are passed over. Spaces belong to the field.
/// </summary>
public static class ParameterTable
{
    public const int ColumnsMax = 100;

    private const int NameLengthMax = 63;

    /// <param name="file">What messages call it.</param>
    /// <exception cref="MeshException">AM0354 with line and column. AM0358: too many rows or characters.</exception>
    public static ArrayItems Parse(string text, string file)
    {
        if (text.Length > ArrayItems.CharactersMax)
        {
            throw new MeshException(MeshErrors.ArrayTooLarge, $"{file} has {text.Length} characters; {ArrayItems.CharactersMax} are the most", "let the program read long values from files of its own, and put their names into the table");
        }

        var reader = new Reader(text.StartsWith('\uFEFF') ? text[1..] : text, file);
        ImmutableArray<string> names = ReadNames(reader);
        ImmutableArray<string>.Builder cells = ImmutableArray.CreateBuilder<string>();
        while (reader.TryReadRow(out List<Field> row))
        {
            if (row.Count != names.Length)
            {
                Field at = row[Math.Min(row.Count - 1, names.Length)];
                throw reader.Wrong(at.Line, at.Column, $"{row.Count} {(row.Count == 1 ? "value" : "values")}, where the first line has {names.Length} names", "give each row a value for each name; a value with a comma stands in quotes");
            }

            cells.AddRange(row.Select(field => field.Text));
            if (cells.Count / names.Length > ArrayItems.CountMax)
            {
                throw ArrayItems.TooMany(cells.Count / names.Length);
            }
        }

        return cells.Count > 0 ? new ArrayItems(names, cells.ToImmutable()) : throw reader.Wrong(reader.Line, 1, "there is no row after the names", "write a line for each element");
    }

    private static ImmutableArray<string> ReadNames(Reader reader)
    {
        if (!reader.TryReadRow(out List<Field> row))
        {
            throw reader.Wrong(1, 1, "it is empty", "write a line of names, for example lr,seed, and a line for each element");
        }

        if (row.Count > ColumnsMax)
        {
            throw reader.Wrong(row[ColumnsMax].Line, row[ColumnsMax].Column, $"{row.Count} names; {ColumnsMax} are the most", "leave out what no command uses");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (Field name in row)
        {
            if (!IsName(name.Text))
            {
                throw reader.Wrong(name.Line, name.Column, $"'{name.Text}' is no name", "a name has 1 to 63 letters, digits, '-' or '_', and begins with a letter or '_'; the first line of the file holds the names");
            }

            if (!seen.Add(name.Text))
            {
                throw reader.Wrong(name.Line, name.Column, $"the name '{name.Text}' is there twice", "give each column its own name");
            }
        }

        return [.. row.Select(name => name.Text)];
    }

    internal static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > NameLengthMax || !(char.IsAsciiLetter(name[0]) || name[0] == '_'))
        {
            return false;
        }

        foreach (char c in name)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            {
                return false;
            }
        }

        return true;
    }

    private readonly record struct Field(string Text, int Line, int Column);

    private sealed class Reader(string text, string file)
    {
        private int _at;
        private int _lineStart;

        /// <summary>From 1.</summary>
        public int Line { get; private set; } = 1;

        private int Column => _at - _lineStart + 1;

        public bool TryReadRow(out List<Field> row)
        {
            row = [];
            while (AtLineEnd() && _at < text.Length)
            {
                SkipLineEnd();
            }

            if (_at == text.Length)
            {
                return false;
            }

            while (true)
            {
                row.Add(ReadField());
                if (_at < text.Length && text[_at] == ',')
                {
                    _at++;
                    continue;
                }

                SkipLineEnd();
                return true;
            }
        }

        public MeshException Wrong(int line, int column, string what, string next) => new(MeshErrors.ParameterFile, $"{file}, line {line}, column {column}: {what}", next);

        private Field ReadField()
        {
            int line = Line, column = Column;
            if (_at < text.Length && text[_at] == '"')
            {
                return new Field(ReadQuoted(line, column), line, column);
            }

            int start = _at;
            while (_at < text.Length && text[_at] != ',' && !AtLineEnd())
            {
                if (text[_at] == '"')
                {
                    throw Wrong(Line, Column, "a quote in the middle of a value", "put the whole value into quotes and write the quote in it twice");
                }

                if (text[_at] == '\0')
                {
                    throw Wrong(Line, Column, "a zero byte", "save the file as text in UTF-8");
                }

                _at++;
            }

            return new Field(text[start.._at], line, column);
        }

        private string ReadQuoted(int line, int column)
        {
            var value = new StringBuilder();
            _at++;
            while (true)
            {
                if (_at == text.Length)
                {
                    throw Wrong(line, column, "the quote is not closed", "add a quote at the end of the value; a quote in it is written twice");
                }

                char c = text[_at++];
                if (c == '"')
                {
                    if (_at < text.Length && text[_at] == '"')
                    {
                        _at++;
                    }
                    else if (_at == text.Length || text[_at] == ',' || AtLineEnd())
                    {
                        return value.ToString();
                    }
                    else
                    {
                        throw Wrong(Line, Column, $"'{text[_at]}' after the quote that ends a value", "a comma or the end of the line is expected; a quote in a value is written twice");
                    }
                }
                else if (c == '\n')
                {
                    Line++;
                    _lineStart = _at;
                }

                value.Append(c);
            }
        }

        private bool AtLineEnd() => _at == text.Length || text[_at] == '\n' || (text[_at] == '\r' && _at + 1 < text.Length && text[_at + 1] == '\n');

        private void SkipLineEnd()
        {
            if (_at < text.Length)
            {
                _at += text[_at] == '\r' ? 2 : 1;
                Line++;
                _lineStart = _at;
            }
        }
    }
}
