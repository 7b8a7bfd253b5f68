using System.Text;

namespace Akka.Configuration.Hocon;

/// <summary>The text and the place in it, with the lexical rules of HOCON: blanks, comments, quoted and unquoted texts.</summary>
internal sealed class HoconCursor(string text)
{
    /// <summary>Characters that an unquoted text cannot hold.</summary>
    private const string Forbidden = "$\"{}[]:=,+#`^?!@*&\\";

    private int _at;

    public bool IsAtEnd => _at >= text.Length;

    public char Current => _at < text.Length ? text[_at] : '\0';

    /// <summary>Characters before the next one. Line and column are counted where an error names them, not for each key.</summary>
    public int Place => _at;

    public bool Starts(string what) => string.CompareOrdinal(text, _at, what, 0, what.Length) == 0;

    public void Skip(int count = 1) => _at += count;

    /// <summary>The first character that is no blank behind the next <paramref name="count"/>.</summary>
    public char Ahead(int count)
    {
        int at = _at + count;
        while (at < text.Length && (text[at] is ' ' or '\t'))
        {
            at++;
        }

        return at < text.Length ? text[at] : '\0';
    }

    public bool HasBlankAt(int count) => _at + count < text.Length && (text[_at + count] is ' ' or '\t' or '"');

    public ConfigurationException Error(string what, int? place = null) => new($"{NameOf(place ?? _at)}: {what}");

    public ConfigurationException Unexpected(string expected) =>
        Error(IsAtEnd ? $"the text ends where {expected} is expected" : $"unexpected '{(Current == '\n' ? "end of line" : Current.ToString())}' where {expected} is expected");

    /// <summary>Spaces and tabs only.</summary>
    public string TakeBlanks()
    {
        int start = _at;
        while (!IsAtEnd && Current != '\n' && (char.IsWhiteSpace(Current) || Current == '\ufeff'))
        {
            _at++;
        }

        return text[start.._at];
    }

    /// <summary>Blanks, line ends and comments; true where a line end was among them.</summary>
    public bool SkipSpace()
    {
        bool hasNewLine = false;
        while (!IsAtEnd)
        {
            TakeBlanks();
            if (Current == '\n')
            {
                hasNewLine = true;
                _at++;
            }
            else if (Current == '#' || Starts("//"))
            {
                while (!IsAtEnd && Current != '\n')
                {
                    _at++;
                }
            }
            else
            {
                break;
            }
        }

        return hasNewLine;
    }

    /// <summary>Unquoted text up to a blank, a comment or a character that it cannot hold. In a key a dot ends it too.</summary>
    public string TakeUnquoted(bool isKey)
    {
        int start = _at;
        while (!IsAtEnd && !char.IsWhiteSpace(Current) && !Forbidden.Contains(Current, StringComparison.Ordinal) && !Starts("//") && !(isKey && Current == '.'))
        {
            _at++;
        }

        return text[start.._at];
    }

    public string TakeQuoted()
    {
        int place = _at;
        if (Starts("\"\"\""))
        {
            return TakeTripleQuoted(place);
        }

        _at++;
        var value = new StringBuilder();
        while (true)
        {
            if (IsAtEnd || Current == '\n')
            {
                throw Error("the quoted text is not closed", place);
            }

            char c = text[_at++];
            if (c == '"')
            {
                return value.ToString();
            }

            value.Append(c == '\\' ? TakeEscape() : c);
        }
    }

    /// <summary>What stands between <c>${</c> and <c>}</c>.</summary>
    public string TakeReference()
    {
        int place = _at;
        int end = text.IndexOf('}', _at);
        int line = text.IndexOf('\n', _at);
        if (end < 0 || (line >= 0 && line < end))
        {
            throw Error("the substitution is not closed", place);
        }

        string path = text[(_at + 2)..end].Trim();
        _at = end + 1;
        return path.Length is 0 || path == "?" ? throw Error("the substitution names no path", place) : path;
    }

    private string TakeTripleQuoted(int place)
    {
        int end = text.IndexOf("\"\"\"", _at + 3, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Error("the text in three quotes is not closed", place);
        }

        // Further quotes right at the end belong to the text.
        while (end + 3 < text.Length && text[end + 3] == '"')
        {
            end++;
        }

        string value = text[(_at + 3)..end];
        _at = end + 3;
        return value;
    }

    private char TakeEscape()
    {
        char c = IsAtEnd ? '\0' : text[_at++];
        switch (c)
        {
            case '"' or '\\' or '/':
                return c;
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'u' when _at + 4 <= text.Length && ushort.TryParse(text.AsSpan(_at, 4), System.Globalization.NumberStyles.AllowHexSpecifier, null, out ushort code):
                _at += 4;
                return (char)code;
            default:
                throw Error($"'\\{c}' is not an escape", _at - 1);
        }
    }

    public string NameOf(int at)
    {
        int line = 1, start = 0;
        for (int i = 0; i < Math.Min(at, text.Length); i++)
        {
            if (text[i] == '\n')
            {
                line++;
                start = i + 1;
            }
        }

        return $"line {line}, column {at - start + 1}";
    }
}
