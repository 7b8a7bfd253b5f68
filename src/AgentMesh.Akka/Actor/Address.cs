using System.Globalization;
using Akka.Util;
using Akka.Util.Internal;

namespace Akka.Actor;

/// <summary>Where an actor system is: <c>protocol://system</c> in this process, <c>protocol://system@host:port</c> anywhere.</summary>
public sealed class Address : IEquatable<Address>, IComparable<Address>, IComparable, ICloneable, ISurrogated
{
    public static readonly IComparer<Address> Comparer = global::System.Collections.Generic.Comparer<Address>.Create(Compare);

    /// <summary>Stands for every system where an address is asked for.</summary>
    public static readonly Address AllSystems = new("akka", "all-systems");

    private readonly string _text;

    public Address(string protocol, string system, string host = null!, int? port = null)
    {
        Protocol = protocol;
        System = system;
        Host = host;
        Port = port;
        string authority = host is null ? string.Empty : $"@{host}";
        _text = port is null ? $"{protocol}://{system}{authority}" : string.Create(CultureInfo.InvariantCulture, $"{protocol}://{system}{authority}:{port}");
    }

    public string Protocol { get; }

    public string System { get; }

    /// <summary>Null for an address that means only "this process".</summary>
    public string Host { get; }

    public int? Port { get; }

    public bool HasLocalScope => string.IsNullOrEmpty(Host);

    public bool HasGlobalScope => !HasLocalScope;

    public static bool operator ==(Address? left, Address? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(Address? left, Address? right) => !(left == right);

    /// <exception cref="UriFormatException">The text is not an address.</exception>
    public static Address Parse(string address) =>
        TryParse(address, out Address? parsed) ? parsed : throw new UriFormatException($"'{address}' is not an actor system address; expected protocol://system[@host:port]");

    public static bool TryParse(string path, out Address address) => TryParse(path, out address, out string _);

    /// <param name="absolutUri">What follows the address, from the first slash on; <c>/</c> when nothing does.</param>
    public static bool TryParse(string path, out Address address, out string absolutUri)
    {
        bool found = TryParse(path.AsSpan(), out address, out ReadOnlySpan<char> rest);
        absolutUri = rest.ToString();
        return found;
    }

    public static bool TryParse(ReadOnlySpan<char> span, out Address address) => TryParse(span, out address, out ReadOnlySpan<char> _);

    public static bool TryParse(ReadOnlySpan<char> span, out Address address, out ReadOnlySpan<char> absolutUri)
    {
        address = null!;
        absolutUri = default;
        int scheme = span.IndexOf("://", StringComparison.Ordinal);
        if (scheme <= 0)
            return false;
        ReadOnlySpan<char> authority = span[(scheme + 3)..];
        int slash = authority.IndexOf('/');
        absolutUri = slash < 0 ? "/" : authority[slash..];
        if (slash >= 0)
            authority = authority[..slash];
        int at = authority.IndexOf('@');
        ReadOnlySpan<char> system = at < 0 ? authority : authority[..at];
        if (system.IsEmpty || system.ContainsAny(" :#"))
            return false;
        if (at < 0)
        {
            address = new Address(span[..scheme].ToString(), system.ToString());
            return true;
        }

        ReadOnlySpan<char> hostPort = authority[(at + 1)..];
        int colon = hostPort.LastIndexOf(':');
        if (colon <= hostPort.LastIndexOf(']'))
            colon = -1;
        int? port = null;
        if (colon >= 0)
        {
            if (!ushort.TryParse(hostPort[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
                return false;
            port = number;
            hostPort = hostPort[..colon];
        }

        if (hostPort.IsEmpty)
            return false;
        address = new Address(span[..scheme].ToString(), system.ToString(), hostPort.ToString(), port);
        return true;
    }

    public Address WithHost(string host = null!) => new(Protocol, System, host, Port);

    public Address WithPort(int? port = null) => new(Protocol, System, Host, port);

    public Address WithProtocol(string protocol) => new(protocol, System, Host, Port);

    public Address WithSystem(string system) => new(Protocol, system, Host, Port);

    /// <summary>The address without its protocol.</summary>
    public string HostPort() => _text[(Protocol.Length + 3)..];

    public bool Equals(Address? other) => other is not null && (ReferenceEquals(this, other) || string.Equals(_text, other._text, StringComparison.Ordinal));

    public override bool Equals(object? obj) => obj is Address other && Equals(other);

    public override int GetHashCode() => StableHash.Of(_text);

    public int CompareTo(Address? other) => Compare(this, other);

    public object Clone() => new Address(Protocol, System, Host, Port);

    public override string ToString() => _text;

    public ISurrogate ToSurrogate(ActorSystem system) => new AddressSurrogate { Protocol = Protocol, System = System, Host = Host, Port = Port };

    int IComparable.CompareTo(object? obj) =>
        obj is Address other ? CompareTo(other) : throw new ArgumentException("Only an address compares with an address", nameof(obj));

    private static int Compare(Address? x, Address? y)
    {
        if (x is null || y is null)
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        int result = string.CompareOrdinal(x.Protocol, y.Protocol);
        if (result == 0)
            result = string.CompareOrdinal(x.System, y.System);
        if (result == 0)
            result = string.CompareOrdinal(x.Host, y.Host);
        return result == 0 ? Nullable.Compare(x.Port, y.Port) : result;
    }

    /// <summary>The stand-in of an <see cref="Address"/>.</summary>
    public sealed class AddressSurrogate : ISurrogate
    {
        public string Protocol { get; set; } = string.Empty;

        public string System { get; set; } = string.Empty;

        public string Host { get; set; } = null!;

        public int? Port { get; set; }

        public ISurrogated FromSurrogate(ActorSystem system) => new Address(Protocol, System, Host, Port);
    }
}
