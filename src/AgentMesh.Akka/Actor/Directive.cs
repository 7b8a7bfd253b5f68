namespace Akka.Actor;

/// <summary>What a supervisor does with a child that failed.</summary>
public enum Directive
{
    /// <summary>Goes on with the next message; the state is kept.</summary>
    Resume = 0,

    /// <summary>Goes on with a new instance.</summary>
    Restart = 1,

    /// <summary>Fails itself; its supervisor decides.</summary>
    Escalate = 2,

    Stop = 3,
}

/// <summary>Maps a failure to a directive.</summary>
public interface IDecider
{
    Directive Decide(Exception cause);
}

public static class Decider
{
    public static LocalOnlyDecider From(Func<Exception, Directive> localOnlyDecider) => new(localOnlyDecider);

    public static DeployableDecider From(Directive defaultDirective, params KeyValuePair<Type, Directive>[] pairs) => new(defaultDirective, pairs);

    public static DeployableDecider From(Directive defaultDirective, IEnumerable<KeyValuePair<Type, Directive>> pairs) => new(defaultDirective, pairs);
}

/// <summary>A decider that is code.</summary>
public class LocalOnlyDecider : IDecider
{
    private readonly Func<Exception, Directive> _decider;

    public LocalOnlyDecider(Func<Exception, Directive> decider) => _decider = decider;

    public Directive Decide(Exception cause) => _decider(cause);
}

/// <summary>A decider that is data: the first pair whose type the failure has, else the default.</summary>
public class DeployableDecider : IDecider, IEquatable<DeployableDecider>
{
    protected DeployableDecider()
        : this(Directive.Restart)
    {
    }

    public DeployableDecider(Directive defaultDirective, params KeyValuePair<Type, Directive>[] pairs)
    {
        DefaultDirective = defaultDirective;
        Pairs = pairs;
    }

    public DeployableDecider(Directive defaultDirective, IEnumerable<KeyValuePair<Type, Directive>> pairs)
        : this(defaultDirective, pairs.ToArray())
    {
    }

    public Directive DefaultDirective { get; }

    public KeyValuePair<Type, Directive>[] Pairs { get; }

    public Directive Decide(Exception cause)
    {
        foreach ((Type type, Directive directive) in Pairs)
        {
            if (type.IsInstanceOfType(cause))
                return directive;
        }

        return DefaultDirective;
    }

    public bool Equals(DeployableDecider? other) => other is not null && DefaultDirective == other.DefaultDirective && Pairs.SequenceEqual(other.Pairs);

    public override bool Equals(object? obj) => Equals(obj as DeployableDecider);

    public override int GetHashCode() => HashCode.Combine(DefaultDirective, Pairs.Length);
}

public static class DirectiveExtensions
{
    /// <summary>A pair for <see cref="Decider.From(Directive, KeyValuePair{Type, Directive}[])"/>: this directive when a <typeparamref name="TException"/> was thrown.</summary>
    public static KeyValuePair<Type, Directive> When<TException>(this Directive self)
        where TException : Exception => new(typeof(TException), self);
}
