using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;
using Akka.Util;

namespace Akka.Actor;

/// <summary>A tree of actors with its dispatchers, timers, log and serializers. Heavy: one for an application.</summary>
public abstract class ActorSystem : IActorRefFactory, IDisposable
{
    public abstract Settings Settings { get; }

    public abstract string Name { get; }

    public abstract Serialization.Serialization Serialization { get; }

    public abstract EventStream EventStream { get; }

    public abstract IActorRef DeadLetters { get; }

    /// <summary>Swallows what is sent to it.</summary>
    public abstract IActorRef IgnoreRef { get; }

    public abstract Dispatchers Dispatchers { get; }

    public abstract Mailboxes Mailboxes { get; }

    public abstract IScheduler Scheduler { get; }

    public abstract ILoggingAdapter Log { get; }

    /// <summary>Completes when every actor has ended and what the system owned is released.</summary>
    public abstract Task WhenTerminated { get; }

    /// <summary>When the system was made, on the monotonic clock of its scheduler.</summary>
    public TimeSpan StartTime { get; private protected set; }

    public TimeSpan Uptime => Scheduler.MonotonicClock - StartTime;

    public static ActorSystem Create(string name) => Start(name, ConfigurationFactory.Load(), ActorSystemSetup.Empty);

    public static ActorSystem Create(string name, Config config) => Start(name, config, ActorSystemSetup.Empty);

    public static ActorSystem Create(string name, BootstrapSetup setup) => Create(name, ActorSystemSetup.Create(setup));

    public static ActorSystem Create(string name, ActorSystemSetup setup)
    {
        Option<BootstrapSetup> bootstrap = setup.Get<BootstrapSetup>();
        Option<Config> config = bootstrap.HasValue ? bootstrap.Value.Config : Option<Config>.None;
        return Start(name, config.HasValue ? config.Value : ConfigurationFactory.Load(), setup);
    }

    public abstract IActorRef ActorOf(Props props, string name = null!);

    public abstract ActorSelection ActorSelection(ActorPath actorPath);

    public abstract ActorSelection ActorSelection(string actorPath);

    public abstract object RegisterExtension(IExtensionId extension);

    /// <summary>The extension; it is made when it is not there yet.</summary>
    public abstract object GetExtension(IExtensionId extensionId);

    public abstract T GetExtension<T>()
        where T : class, IExtension;

    public abstract bool HasExtension(Type type);

    public abstract bool HasExtension<T>()
        where T : class, IExtension;

    public abstract bool TryGetExtension(Type extensionType, out object extension);

    public abstract bool TryGetExtension<T>(out T extension)
        where T : class, IExtension;

    /// <summary>Runs the code when all actors have ended, last registered first.</summary>
    public abstract void RegisterOnTermination(Action code);

    public abstract void Stop(IActorRef actor);

    /// <summary>Runs the coordinated shutdown and ends every actor.</summary>
    public abstract Task Terminate();

    /// <summary>Terminates and waits for the end.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    private static ActorSystemImpl Start(string name, Config config, ActorSystemSetup setup)
    {
        var system = new ActorSystemImpl(name, config, setup, Option<Props>.None);
        system.Start();
        return system;
    }

    private void Dispose(bool disposing)
    {
        if (disposing)
            Terminate().GetAwaiter().GetResult();
    }
}

/// <summary>What the engine and its extensions see of a system.</summary>
public abstract class ExtendedActorSystem : ActorSystem
{
    public abstract IActorRefProvider Provider { get; }

    /// <summary>The actor at /user.</summary>
    public abstract IInternalActorRef Guardian { get; }

    /// <summary>Where relative paths start: /user.</summary>
    public abstract IInternalActorRef LookupRoot { get; }

    /// <summary>The actor at /system.</summary>
    public abstract IInternalActorRef SystemGuardian { get; }

    /// <summary>Makes an actor below /system: it ends after those below /user.</summary>
    public abstract IActorRef SystemActorOf(Props props, string name = null!);

    public abstract IActorRef SystemActorOf<TActor>(string name = null!)
        where TActor : ActorBase, new();

    /// <summary>Ends the actors at once, without coordinated shutdown.</summary>
    public abstract void Abort();

    /// <summary>The tree of actors as text, for people.</summary>
    public abstract string PrintTree();
}

public static class ActorRefFactoryExtensions
{
    public static IActorRef ActorOf<TActor>(this IActorRefFactory factory, string name = null!)
        where TActor : ActorBase, new() => factory.ActorOf(Props.Create<TActor>(), name);

    public static ActorSelection ActorSelection(this IActorRefFactory factory, IActorRef anchorRef, string actorPath) =>
        ActorRefFactoryShared.ActorSelection(anchorRef, actorPath);
}
