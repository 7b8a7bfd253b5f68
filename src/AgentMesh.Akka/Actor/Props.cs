using System.Linq.Expressions;
using Akka.Actor.Internal;

namespace Akka.Actor;

/// <summary>How to make an actor: its class, the arguments of its constructor and how it is deployed. Immutable; may be shared and sent.</summary>
public class Props : IEquatable<Props>
{
    public static readonly Props None = new();

    private readonly ActorProducer _producer;

    protected Props()
        : this(Deploy.None, ActorProducer.Of(typeof(EmptyActor), []))
    {
    }

    protected Props(Props copy)
        : this(copy.Deploy, copy._producer) => SupervisorStrategy = copy.SupervisorStrategy;

    public Props(Type type)
        : this(Deploy.None, ActorProducer.Of(type, []))
    {
    }

    public Props(Type type, object[] args)
        : this(Deploy.None, ActorProducer.Of(type, args))
    {
    }

    public Props(Type type, SupervisorStrategy supervisorStrategy, IEnumerable<object> args)
        : this(Deploy.None, ActorProducer.Of(type, args.ToArray())) => SupervisorStrategy = supervisorStrategy;

    public Props(Type type, SupervisorStrategy supervisorStrategy, params object[] args)
        : this(Deploy.None, ActorProducer.Of(type, args)) => SupervisorStrategy = supervisorStrategy;

    public Props(Deploy deploy, Type type, IEnumerable<object> args)
        : this(deploy, ActorProducer.Of(type, args.ToArray()))
    {
    }

    public Props(Deploy deploy, Type type, params object[] args)
        : this(deploy, ActorProducer.Of(type, args))
    {
    }

    private Props(Deploy deploy, ActorProducer producer)
    {
        Deploy = deploy;
        _producer = producer;
    }

    /// <summary>An actor that handles nothing.</summary>
    public static Props Empty => Create<EmptyActor>();

    public Type Type => _producer.ActorType;

    public string TypeName => Type.AssemblyQualifiedName!;

    public object[] Arguments => _producer.Arguments;

    public Deploy Deploy { get; protected set; }

    /// <summary>Overrides the strategy of the actor for its children; null when not given.</summary>
    public SupervisorStrategy SupervisorStrategy { get; protected set; } = null!;

    public string Dispatcher => Deploy.Dispatcher;

    public string Mailbox => Deploy.Mailbox;

    /// <param name="factory">A constructor call, <c>() => new T(...)</c>; its arguments are evaluated once, now.</param>
    /// <param name="supervisorStrategy">Overrides the strategy of the actor for its children.</param>
    /// <exception cref="ArgumentException">The expression is not a constructor call.</exception>
    public static Props Create<TActor>(Expression<Func<TActor>> factory, SupervisorStrategy supervisorStrategy = null!)
        where TActor : ActorBase
    {
        if (factory.Body is not NewExpression call || call.Constructor is null)
            throw new ArgumentException("The factory of an actor must be a constructor call such as () => new MyActor(a, b)", nameof(factory));
        return new Props(Deploy.None, ActorProducer.Of(call)) { SupervisorStrategy = supervisorStrategy };
    }

    public static Props Create<TActor>(params object[] args)
        where TActor : ActorBase => new(Deploy.None, ActorProducer.Of(typeof(TActor), args));

    public static Props Create<TActor>(SupervisorStrategy supervisorStrategy)
        where TActor : ActorBase, new() => new(Deploy.None, ActorProducer.Of(typeof(TActor), [])) { SupervisorStrategy = supervisorStrategy };

    public static Props Create(Type type, params object[] args) =>
        type is null ? throw new ArgumentNullException(nameof(type)) : new Props(Deploy.None, ActorProducer.Of(type, args));

    public static Props CreateBy<TProducer>(params object[] args)
        where TProducer : class, IIndirectActorProducer =>
        CreateBy((IIndirectActorProducer)Activator.CreateInstance(typeof(TProducer), args)!);

    public static Props CreateBy(IIndirectActorProducer producer, params object[] args) => new(Deploy.None, ActorProducer.Of(producer, args));

    public Props WithDispatcher(string dispatcher) => With(p => p.Deploy = Deploy.WithDispatcher(dispatcher));

    public Props WithMailbox(string mailbox) => With(p => p.Deploy = Deploy.WithMailbox(mailbox));

    public Props WithStashCapacity(int stashCapacity) => With(p => p.Deploy = Deploy.WithStashCapacity(stashCapacity));

    /// <summary>What <paramref name="deploy"/> does not give is kept.</summary>
    public Props WithDeploy(Deploy deploy) => With(p => p.Deploy = deploy.WithFallback(Deploy));

    public Props WithSupervisorStrategy(SupervisorStrategy supervisorStrategy) => With(p => p.SupervisorStrategy = supervisorStrategy);

    /// <exception cref="TypeLoadException">The constructor threw or does not exist.</exception>
    public virtual ActorBase NewActor() => _producer.Produce();

    public bool Equals(Props? other) =>
        other is not null && Type == other.Type && Deploy.Equals(other.Deploy) && Equals(SupervisorStrategy, other.SupervisorStrategy) && Arguments.SequenceEqual(other.Arguments);

    public override bool Equals(object? obj) => Equals(obj as Props);

    public override int GetHashCode() => HashCode.Combine(Type, Deploy, Arguments.Length);

    internal void Release(ActorBase actor) => _producer.Release(actor);

    protected virtual Props Copy() => new(this);

    private Props With(Action<Props> change)
    {
        Props copy = Copy();
        change(copy);
        return copy;
    }

    internal sealed class EmptyActor : UntypedActor
    {
        protected override void OnReceive(object message) => Unhandled(message);
    }
}

/// <summary>The props of an actor that has ended.</summary>
public class TerminatedProps : Props
{
    public override ActorBase NewActor() => throw new InvalidOperationException("This actor has been terminated");
}

/// <summary>Makes actors in a way of its own, for dependency injection.</summary>
public interface IIndirectActorProducer
{
    Type ActorType { get; }

    /// <summary>A new instance each time.</summary>
    ActorBase Produce();

    /// <summary>Called when the instance is not used any more.</summary>
    void Release(ActorBase actor);
}
