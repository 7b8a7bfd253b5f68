using System.Text.RegularExpressions;

namespace Akka.TestKit.Internal.StringMatcher;

public interface IStringMatcher
{
    bool IsMatch(string s);
}

public class MatchesAll : IStringMatcher
{
    private MatchesAll()
    {
    }

    public static IStringMatcher Instance { get; } = new MatchesAll();

    public bool IsMatch(string s) => true;

    public override string ToString() => "anything";
}

public class EqualsString : IStringMatcher
{
    private readonly string _s;

    public EqualsString(string s) => _s = s;

    public bool IsMatch(string s) => string.Equals(_s, s, StringComparison.Ordinal);

    public override string ToString() => $"== \"{_s}\"";
}

public class StartsWithString : IStringMatcher
{
    private readonly string _start;

    public StartsWithString(string start) => _start = start;

    public bool IsMatch(string s) => s.StartsWith(_start, StringComparison.Ordinal);

    public override string ToString() => $"starts with \"{_start}\"";
}

public class ContainsString : IStringMatcher
{
    private readonly string _part;

    public ContainsString(string part) => _part = part;

    public bool IsMatch(string s) => s.Contains(_part, StringComparison.Ordinal);

    public override string ToString() => $"contains \"{_part}\"";
}

public class RegexMatcher : IStringMatcher
{
    private readonly Regex _regex;

    public RegexMatcher(Regex regex) => _regex = regex;

    public bool IsMatch(string s) => _regex.IsMatch(s);

    public override string ToString() => $"matches /{_regex}/";
}

public class PredicateMatcher : IStringMatcher
{
    private readonly Predicate<string> _predicate;
    private readonly string _hint;

    public PredicateMatcher(Predicate<string> predicate, string hint = "")
    {
        _predicate = predicate;
        _hint = hint;
    }

    public bool IsMatch(string s) => _predicate(s);

    public override string ToString() => _hint.Length > 0 ? _hint : "matches a predicate";
}

/// <summary>Equal, or the same actor path when one of the two does not name its system: <c>/user/a</c>, <c>user/a</c> or <c>akka://sys/user/a</c>.</summary>
public class EqualsStringAndPathMatcher : IStringMatcher
{
    private readonly string _path;
    private readonly bool _canBeRelative;

    public EqualsStringAndPathMatcher(string path, bool canBeRelative = true)
    {
        _path = path;
        _canBeRelative = canBeRelative;
    }

    public bool IsMatch(string path) =>
        string.Equals(_path, path, StringComparison.Ordinal) || (_canBeRelative && string.Equals(WithoutSystem(_path), WithoutSystem(path), StringComparison.Ordinal));

    public override string ToString() => $"== \"{_path}\"";

    private static string WithoutSystem(string path)
    {
        int scheme = path.IndexOf("://", StringComparison.Ordinal);
        int slash = scheme < 0 ? -1 : path.IndexOf('/', scheme + 3);
        return (slash < 0 ? path : path[slash..]).TrimStart('/');
    }
}
