using System.Globalization;
using System.Text;
using Akka.Util;
using Akka.Util.Internal;

namespace Akka.Actor;

/// <summary>
/// The place of an actor: the address of its system, the names from the root down, and a uid that tells incarnations with the same
/// name apart (0 when unknown). Two paths are equal when address and names are; the uid does not take part.
/// </summary>
public abstract class ActorPath : IEquatable<ActorPath>, IComparable<ActorPath>, ISurrogated
{
    /// <summary>Symbols that a name may have beside letters and digits.</summary>
    public const string ValidSymbols = "\"-_.*$+:@&=,!~';()";

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + ValidSymbols);

    private string? _withoutAddress;
    private string? _serialized;
    private int _hash;

    protected ActorPath(Address address, string name)
    {
        Address = address;
        Name = name;
        Parent = this;
        Root = this;
    }

    protected ActorPath(ActorPath parentPath, string name, long uid)
    {
        Parent = parentPath;
        Address = parentPath.Address;
        Root = parentPath.Root;
        Depth = parentPath.Depth + 1;
        Name = name;
        Uid = uid;
    }

    public string Name { get; }

    /// <summary>0 when unknown.</summary>
    public long Uid { get; }

    public Address Address { get; }

    /// <summary>The path above; the root is its own parent.</summary>
    public ActorPath Parent { get; }

    public ActorPath Root { get; }

    /// <summary>Steps from the root: 0 for the root itself.</summary>
    public int Depth { get; }

    /// <summary>The names from the root down; empty for the root.</summary>
    public IReadOnlyList<string> Elements
    {
        get
        {
            string[] names = new string[Depth];
            for (ActorPath path = this; path.Depth > 0; path = path.Parent)
                names[path.Depth - 1] = path.Name;
            return names;
        }
    }

    public static ActorPath operator /(ActorPath path, string name) => path.Child(name);

    public static ActorPath operator /(ActorPath path, IEnumerable<string> name)
    {
        foreach (string element in name)
        {
            if (!string.IsNullOrEmpty(element))
                path = path.Child(element);
        }

        return path;
    }

    public static bool operator ==(ActorPath? left, ActorPath? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(ActorPath? left, ActorPath? right) => !(left == right);

    /// <summary>True for a name that an actor may have: letters, digits, <see cref="ValidSymbols"/> and %hh, not starting with $.</summary>
    public static bool IsValidPathElement(string s)
    {
        if (string.IsNullOrEmpty(s) || s[0] == '$')
            return false;
        ReadOnlySpan<char> rest = s;
        while (true)
        {
            int at = rest.IndexOfAnyExcept(NameCharacters);
            if (at < 0)
                return true;
            if (rest[at] != '%' || rest.Length < at + 3 || !char.IsAsciiHexDigit(rest[at + 1]) || !char.IsAsciiHexDigit(rest[at + 2]))
                return false;
            rest = rest[(at + 3)..];
        }
    }

    public static string FormatPathElements(IEnumerable<string> pathElements) => "/" + string.Join('/', pathElements);

    /// <exception cref="UriFormatException">The text is not an absolute path.</exception>
    public static ActorPath Parse(string path) =>
        TryParse(path, out ActorPath? parsed) ? parsed : throw new UriFormatException($"'{path}' is not an actor path; expected protocol://system[@host:port]/name/name");

    public static bool TryParse(string path, out ActorPath actorPath)
    {
        actorPath = null!;
        return Address.TryParse(path.AsSpan(), out Address? address, out ReadOnlySpan<char> rest) && TryParse(new RootActorPath(address), rest, out actorPath);
    }

    public static bool TryParse(ActorPath basePath, string absoluteUri, out ActorPath actorPath) => TryParse(basePath, absoluteUri.AsSpan(), out actorPath);

    public static bool TryParse(ActorPath basePath, ReadOnlySpan<char> absoluteUri, out ActorPath actorPath)
    {
        actorPath = basePath;
        long uid = 0;
        int hash = absoluteUri.IndexOf('#');
        if (hash >= 0)
        {
            if (!long.TryParse(absoluteUri[(hash + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out uid))
                return false;
            absoluteUri = absoluteUri[..hash];
        }

        foreach (Range range in absoluteUri.Split('/'))
        {
            ReadOnlySpan<char> name = absoluteUri[range];
            if (!name.IsEmpty)
                actorPath = new ChildActorPath(actorPath, name.ToString(), 0);
        }

        if (uid != 0)
            actorPath = actorPath.WithUid(uid);
        return true;
    }

    public static bool TryParseAddress(string path, out Address address) => Address.TryParse(path, out address);

    public static bool TryParseAddress(string path, out Address address, out ReadOnlySpan<char> absoluteUri) =>
        Address.TryParse(path.AsSpan(), out address, out absoluteUri);

    /// <param name="childName">May end with <c>#uid</c>.</param>
    public ActorPath Child(string childName)
    {
        int hash = childName.IndexOf('#');
        if (hash < 0)
            return new ChildActorPath(this, childName, 0);
        _ = long.TryParse(childName.AsSpan(hash + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long uid);
        return new ChildActorPath(this, childName[..hash], uid);
    }

    public ActorPath WithUid(long uid) => uid == Uid || Depth == 0 ? this : new ChildActorPath(Parent, Name, uid);

    /// <param name="depth">0 or more: the ancestor at that depth; below 0: that many steps up.</param>
    public ActorPath ParentOf(int depth)
    {
        int target = depth >= 0 ? depth : Math.Max(0, Depth + depth);
        ActorPath path = this;
        while (path.Depth > target)
            path = path.Parent;
        return path;
    }

    public bool Equals(ActorPath? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || Depth != other.Depth || !Address.Equals(other.Address))
            return false;
        ActorPath a = this, b = other;
        while (a.Depth > 0 && !ReferenceEquals(a, b))
        {
            if (!string.Equals(a.Name, b.Name, StringComparison.Ordinal))
                return false;
            a = a.Parent;
            b = b.Parent;
        }

        return true;
    }

    public override bool Equals(object? obj) => obj is ActorPath other && Equals(other);

    public override int GetHashCode()
    {
        if (_hash == 0)
            _hash = StableHash.Of(Address.GetHashCode(), StableHash.Of(ToStringWithoutAddress()));
        return _hash;
    }

    public int CompareTo(ActorPath? other)
    {
        if (other is null)
            return 1;
        int byAddress = Address.CompareTo(other.Address);
        return byAddress != 0 ? byAddress : string.CompareOrdinal(ToStringWithoutAddress(), other.ToStringWithoutAddress());
    }

    public string ToStringWithoutAddress()
    {
        if (_withoutAddress is null)
        {
            var text = new StringBuilder();
            foreach (string name in Elements)
                text.Append('/').Append(name);
            _withoutAddress = text.Length == 0 ? "/" : text.ToString();
        }

        return _withoutAddress;
    }

    public string ToStringWithAddress() => ToStringWithAddress(Address);

    /// <summary>A path that has a host of its own keeps it.</summary>
    public string ToStringWithAddress(Address address)
    {
        Address used = Address.HasGlobalScope || address is null ? Address : address;
        return used + ToStringWithoutAddress();
    }

    public string ToStringWithUid() => ToString() + UidSuffix();

    /// <summary>Address, names and uid: what identifies the actor when it is read elsewhere.</summary>
    public string ToSerializationFormat() => _serialized ??= ToStringWithAddress() + UidSuffix();

    public string ToSerializationFormatWithAddress(Address address) => ToStringWithAddress(address) + UidSuffix();

    public override string ToString() => ToStringWithAddress();

    public ISurrogate ToSurrogate(ActorSystem system) => new Surrogate(ToSerializationFormat());

    private string UidSuffix() => Uid == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"#{Uid}");

    /// <summary>The stand-in of an <see cref="ActorPath"/>.</summary>
    public sealed class Surrogate : ISurrogate
    {
        public Surrogate(string path) => Path = path;

        public string Path { get; }

        public ISurrogated FromSurrogate(ActorSystem system) => Parse(Path);
    }
}

/// <summary>The root of a system's actors.</summary>
public sealed class RootActorPath : ActorPath
{
    public RootActorPath(Address address, string name = "")
        : base(address, name)
    {
    }
}

/// <summary>A path below another.</summary>
public sealed class ChildActorPath : ActorPath
{
    public ChildActorPath(ActorPath parentPath, string name, long uid)
        : base(parentPath, name, uid)
    {
    }
}
