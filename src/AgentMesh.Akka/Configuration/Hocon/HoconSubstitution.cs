namespace Akka.Configuration.Hocon;

/// <summary><c>${path}</c> or <c>${?path}</c>; the reader sets <see cref="ResolvedValue"/> once the whole text is read.</summary>
public class HoconSubstitution : IHoconElement, IMightBeAHoconObject
{
    public HoconSubstitution(string path)
    {
        IsOptional = path.StartsWith('?');
        Path = IsOptional ? path[1..] : path;
    }

    protected HoconSubstitution() => Path = "";

    public string Path { get; set; }

    /// <summary>Null until it is resolved, and for an optional one that nothing answers.</summary>
    public HoconValue? ResolvedValue { get; set; }

    internal bool IsOptional { get; }

    /// <summary>Line and column for an error.</summary>
    internal string Place { get; init; } = "";

    /// <summary>What the key held before, where the substitution refers to the very key that it defines.</summary>
    internal HoconValue? Before { get; set; }

    internal bool IsSelfReference { get; set; }

    public bool IsString() => ResolvedValue?.IsString() ?? false;

    public string? GetString() => ResolvedValue?.GetString();

    public bool IsArray() => ResolvedValue?.IsArray() ?? false;

    public IList<HoconValue> GetArray() => ResolvedValue?.GetArray() ?? [];

    public bool IsObject() => ResolvedValue?.IsObject() ?? false;

    public HoconObject? GetObject() => ResolvedValue?.GetObject();
}
