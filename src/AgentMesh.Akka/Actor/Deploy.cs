using Akka.Configuration;

namespace Akka.Actor;

/// <summary>Where an actor is to run.</summary>
public abstract class Scope : IEquatable<Scope>
{
    public static readonly LocalScope Local = LocalScope.Instance;

    public abstract Scope WithFallback(Scope other);

    public abstract Scope Copy();

    public virtual bool Equals(Scope? other) => ReferenceEquals(this, other);

}

/// <summary>In this process.</summary>
public class LocalScope : Scope
{
    private LocalScope()
    {
    }

    public static LocalScope Instance { get; } = new();

    public override Scope WithFallback(Scope other) => this;

    public override Scope Copy() => this;
}

/// <summary>In the system at an address.</summary>
public class RemoteScope : Scope, IEquatable<RemoteScope>
{
    protected RemoteScope()
    {
    }

    public RemoteScope(Address address) => Address = address;

    public Address Address { get; set; } = null!;

    public override Scope WithFallback(Scope other) => this;

    public override Scope Copy() => new RemoteScope(Address);

    public bool Equals(RemoteScope? other) => other is not null && Address == other.Address;

    public override bool Equals(Scope? other) => Equals(other as RemoteScope);

    public override bool Equals(object? obj) => Equals(obj as RemoteScope);

    public override int GetHashCode() => Address?.GetHashCode() ?? 0;
}

/// <summary>Decisions about an actor that belong to its installation and not to its code.</summary>
public class Deploy : IEquatable<Deploy>
{
    public const int NoStashSize = -1;

    public static readonly string NoDispatcherGiven = null!;

    public static readonly string NoMailboxGiven = null!;

    public static readonly Scope NoScopeGiven = null!;

    public static readonly Deploy Local = new(Scope.Local);

    public static readonly Deploy None = new();

    public Deploy()
        : this(string.Empty, NoScopeGiven)
    {
    }

    public Deploy(Scope scope)
        : this(string.Empty, scope)
    {
    }

    public Deploy(string path, Scope scope)
    {
        Path = path;
        Scope = scope;
    }

    private Deploy(Deploy source)
    {
        Path = source.Path;
        Scope = source.Scope;
        Config = source.Config;
        Dispatcher = source.Dispatcher;
        Mailbox = source.Mailbox;
        StashCapacity = source.StashCapacity;
    }

    public string Path { get; private init; }

    public Config Config { get; private init; } = Config.Empty;

    public Scope Scope { get; private init; }

    /// <summary>Null when not given.</summary>
    public string Dispatcher { get; private init; } = NoDispatcherGiven;

    /// <summary>Null when not given.</summary>
    public string Mailbox { get; private init; } = NoMailboxGiven;

    public int StashCapacity { get; private init; } = NoStashSize;

    public virtual Deploy WithDispatcher(string dispatcher) => new(this) { Dispatcher = dispatcher };

    public virtual Deploy WithMailbox(string mailbox) => new(this) { Mailbox = mailbox };

    public virtual Deploy WithScope(Scope scope) => new(this) { Scope = scope };

    public virtual Deploy WithStashCapacity(int stashSize) => new(this) { StashCapacity = stashSize };

    /// <summary>Takes from <paramref name="other"/> what is not given here.</summary>
    public virtual Deploy WithFallback(Deploy other) => new(this)
    {
        Config = Config.IsEmpty ? other.Config : Config.WithFallback(other.Config),
        Scope = Scope ?? other.Scope,
        Dispatcher = Dispatcher ?? other.Dispatcher,
        Mailbox = Mailbox ?? other.Mailbox,
        StashCapacity = StashCapacity == NoStashSize ? other.StashCapacity : StashCapacity,
    };

    public bool Equals(Deploy? other) =>
        other is not null && Path == other.Path && Equals(Scope, other.Scope) && Dispatcher == other.Dispatcher && Mailbox == other.Mailbox && StashCapacity == other.StashCapacity;

    public override bool Equals(object? obj) => Equals(obj as Deploy);

    public override int GetHashCode() => HashCode.Combine(Path, Scope, Dispatcher, Mailbox, StashCapacity);

    internal Deploy WithConfig(string path, Config config) => new(this) { Path = path, Config = config };
}
