namespace Akka.Configuration.Hocon;

/// <summary>Reads a text into values; substitutions are resolved by <see cref="HoconResolver"/> afterwards.</summary>
internal sealed class HoconReader
{
    /// <summary>Objects and arrays inside each other; a configuration of people has a dozen.</summary>
    private const int DepthMax = 100;

    private readonly HoconCursor _cursor;
    private readonly Func<string, HoconRoot?> _include;
    private readonly List<HoconSubstitution> _substitutions = [];
    private int _depth;

    private HoconReader(string text, Func<string, HoconRoot?> include)
    {
        _cursor = new HoconCursor(text);
        _include = include;
    }

    /// <param name="include">Gives an included file; null where there is none.</param>
    /// <exception cref="ConfigurationException">Names line and column.</exception>
    public static HoconRoot Read(string text, Func<string, HoconRoot?> include)
    {
        var reader = new HoconReader(text.Replace("\r\n", "\n", StringComparison.Ordinal), include);
        HoconValue root = reader.ReadRoot();
        HoconResolver.Resolve(root, reader._substitutions);
        return new HoconRoot(root, reader._substitutions);
    }

    private HoconValue ReadRoot()
    {
        _cursor.SkipSpace();
        var root = new HoconObject();
        var value = new HoconValue([root]);
        switch (_cursor.Current)
        {
            case '{':
                ReadBraced(root, "");
                break;
            case '[':
                value = new HoconValue([ReadArray("")]);
                break;
            default:
                ReadMembers(root, "", isBraced: false);
                break;
        }

        _cursor.SkipSpace();
        return _cursor.IsAtEnd ? value : throw _cursor.Unexpected("the end of the text");
    }

    private void ReadBraced(HoconObject into, string path)
    {
        Descend();
        int place = _cursor.Place;
        _cursor.Skip();
        ReadMembers(into, path, isBraced: true);
        if (_cursor.Current != '}')
        {
            throw _cursor.Error("the '{' is not closed", place);
        }

        _cursor.Skip();
        _depth--;
    }

    private void ReadMembers(HoconObject into, string path, bool isBraced)
    {
        while (true)
        {
            _cursor.SkipSpace();
            if (_cursor.IsAtEnd || _cursor.Current == '}')
            {
                if (!_cursor.IsAtEnd && !isBraced)
                {
                    throw _cursor.Unexpected("a key");
                }

                return;
            }

            if (!TryReadInclude(into))
            {
                ReadMember(into, path);
            }

            ReadSeparator('}');
        }
    }

    private void ReadMember(HoconObject into, string path)
    {
        IReadOnlyList<string> keys = ReadKey();
        HoconObject owner = into;
        foreach (string key in keys.Take(keys.Count - 1))
        {
            owner = ObjectAt(owner, key);
            path = Join(path, key);
        }

        string last = keys[^1];
        path = Join(path, last);
        int place = _cursor.Place;
        _cursor.SkipSpace();
        HoconValue? before = owner.GetKey(last);
        if (_cursor.Starts("+="))
        {
            _cursor.Skip(2);
            HoconValue added = ReadValue(path, before);
            var joined = new HoconArray();
            joined.AddRange(before?.GetArray() ?? []);
            joined.Add(added);
            owner.Items[last] = new HoconValue([joined]);
            return;
        }

        if (_cursor.Current is ':' or '=')
        {
            _cursor.Skip();
        }
        else if (_cursor.Current != '{')
        {
            throw _cursor.Error($"':', '=' or '{{' is expected after the key '{last}'", place);
        }

        Put(owner, last, before, ReadValue(path, before));
    }

    // An object after an object is merged into it; anything else replaces what was there.
    private static void Put(HoconObject owner, string key, HoconValue? before, HoconValue value)
    {
        bool mayMerge = before is not null && before.Values.Any(each => each is HoconObject or HoconSubstitution) && value.Values.All(each => each is HoconObject or HoconSubstitution) &&
            !value.Values.Any(each => each is HoconSubstitution { IsSelfReference: true });
        owner.Items[key] = mayMerge && value.Values.Count > 0 ? new HoconValue([.. before!.Values, .. value.Values]) : value;
    }

    private static HoconObject ObjectAt(HoconObject owner, string key)
    {
        HoconValue value = owner.GetOrCreateKey(key);
        if (value.Values.Count > 0 && value.Values[^1] is HoconObject there)
        {
            return there;
        }

        var fresh = new HoconObject();
        if (value.Values.All(each => each is HoconSubstitution or HoconObject))
        {
            // Kept: what a substitution gives is merged with what follows.
            owner.Items[key] = new HoconValue([.. value.Values, fresh]);
        }
        else
        {
            owner.Items[key] = new HoconValue([fresh]);
        }

        return fresh;
    }

    private List<string> ReadKey()
    {
        var keys = new List<string>();
        while (true)
        {
            string key = _cursor.Current == '"' ? _cursor.TakeQuoted() : ReadUnquotedKey();
            keys.Add(key);
            if (_cursor.Current != '.')
            {
                return keys;
            }

            _cursor.Skip();
        }
    }

    // A key may be several words: "a b = 1" has the key "a b".
    private string ReadUnquotedKey()
    {
        string key = _cursor.TakeUnquoted(isKey: true);
        if (key.Length == 0)
        {
            throw _cursor.Unexpected("a key");
        }

        while (true)
        {
            string blanks = _cursor.TakeBlanks();
            string next = blanks.Length > 0 ? _cursor.TakeUnquoted(isKey: true) : "";
            if (next.Length == 0)
            {
                return key;
            }

            key += blanks + next;
        }
    }

    private HoconValue ReadValue(string path, HoconValue? before)
    {
        _cursor.SkipSpace();
        var parts = new List<IHoconElement>();
        while (true)
        {
            string blanks = _cursor.TakeBlanks();
            if (ReadPart(path, before) is not { } part)
            {
                break;
            }

            // Blanks between texts belong to the value; between objects and arrays they do not.
            if (blanks.Length > 0 && parts.Count > 0 && (part is HoconLiteral or HoconSubstitution) && (parts[^1] is HoconLiteral or HoconSubstitution))
            {
                parts.Add(new HoconLiteral { Value = blanks });
            }

            parts.Add(part);
        }

        if (parts.Count == 0)
        {
            throw _cursor.Unexpected("a value");
        }

        if (parts.Any(part => part is HoconObject or HoconArray))
        {
            parts.RemoveAll(part => part is HoconLiteral { IsQuoted: false } literal && string.IsNullOrWhiteSpace(literal.Value));
            if (parts.Any(part => part is HoconLiteral))
            {
                throw _cursor.Error($"'{path}' joins a text with an object or an array");
            }
        }

        foreach (HoconSubstitution joined in parts.Count > 1 ? parts.OfType<HoconSubstitution>().Where(part => !part.IsSelfReference) : [])
        {
            joined.Before = null;
        }

        return parts is [HoconLiteral { IsQuoted: false, Value: "null" }] ? new HoconValue([new HoconLiteral { Value = null }]) : new HoconValue(parts);
    }

    private IHoconElement? ReadPart(string path, HoconValue? before)
    {
        switch (_cursor.Current)
        {
            case '"':
                return new HoconLiteral { Value = _cursor.TakeQuoted(), IsQuoted = true };
            case '{':
                var inner = new HoconObject();
                ReadBraced(inner, path);
                return inner;
            case '[':
                return ReadArray(path);
            case '$' when _cursor.Starts("${"):
                string place = _cursor.NameOf(_cursor.Place);
                string reference = _cursor.TakeReference();
                var substitution = new HoconSubstitution(reference) { Place = place };
                substitution.IsSelfReference = substitution.Path == path;

                // An optional one that nothing answers leaves what was there.
                substitution.Before = substitution.IsSelfReference || substitution.IsOptional ? before : null;
                _substitutions.Add(substitution);
                return substitution;
            default:
                string text = _cursor.TakeUnquoted(isKey: false);
                return text.Length == 0 ? null : new HoconLiteral { Value = text };
        }
    }

    private HoconArray ReadArray(string path)
    {
        Descend();
        int place = _cursor.Place;
        _cursor.Skip();
        var array = new HoconArray();
        while (true)
        {
            _cursor.SkipSpace();
            if (_cursor.Current == ']')
            {
                _cursor.Skip();
                _depth--;
                return array;
            }

            if (_cursor.IsAtEnd)
            {
                throw _cursor.Error("the '[' is not closed", place);
            }

            array.Add(ReadValue($"{path}[{array.Count}]", null));
            ReadSeparator(']');
        }
    }

    private void ReadSeparator(char close)
    {
        bool hasNewLine = _cursor.SkipSpace();
        if (_cursor.Current == ',')
        {
            _cursor.Skip();
            return;
        }

        if (!hasNewLine && !_cursor.IsAtEnd && _cursor.Current != close)
        {
            throw _cursor.Unexpected($"',', a new line or '{close}'");
        }
    }

    private bool TryReadInclude(HoconObject into)
    {
        if (!_cursor.Starts("include") || !LooksLikeInclude())
        {
            return false;
        }

        int place = _cursor.Place;
        _cursor.Skip("include".Length);
        _cursor.TakeBlanks();
        bool isRequired = TakeWord("required(");
        bool isFile = TakeWord("file(");
        if (_cursor.Starts("url(") || _cursor.Starts("classpath("))
        {
            throw _cursor.Error("only files can be included", place);
        }

        if (_cursor.Current != '"')
        {
            throw _cursor.Unexpected("the quoted name of a file");
        }

        string file = _cursor.TakeQuoted();
        for (int open = (isRequired ? 1 : 0) + (isFile ? 1 : 0); open > 0; open--)
        {
            _cursor.TakeBlanks();
            if (_cursor.Current != ')')
            {
                throw _cursor.Unexpected("')'");
            }

            _cursor.Skip();
        }

        HoconRoot? included = _include(file);
        if (included is null && isRequired)
        {
            throw _cursor.Error($"the included file {file} does not exist", place);
        }

        if (included?.Value.GetObject() is { } content)
        {
            into.Merge(content);
        }

        return true;
    }

    // "include" is a key where something assigns to it.
    private bool LooksLikeInclude()
    {
        char ahead = _cursor.Ahead("include".Length);
        return (ahead is '"' or 'r' or 'f' or 'u' or 'c') && !_cursor.Starts("include.") && _cursor.HasBlankAt("include".Length);
    }

    private bool TakeWord(string word)
    {
        if (!_cursor.Starts(word))
        {
            return false;
        }

        _cursor.Skip(word.Length);
        _cursor.TakeBlanks();
        return true;
    }

    private void Descend()
    {
        if (++_depth > DepthMax)
        {
            throw _cursor.Error($"more than {DepthMax} objects and arrays are inside each other");
        }
    }

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
