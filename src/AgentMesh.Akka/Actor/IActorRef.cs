using Akka.Util;

namespace Akka.Actor;

/// <summary>A handle of an actor: safe to keep, to send in messages and to use from any thread; equal to others of the same incarnation.</summary>
public interface IActorRef : ICanTell, IEquatable<IActorRef>, IComparable<IActorRef>, ISurrogated, IComparable
{
    ActorPath Path { get; }
}

/// <summary>What the engine asks of a reference beyond <see cref="IActorRef"/>.</summary>
public interface IInternalActorRef : IActorRef, IActorRefScope
{
    IInternalActorRef Parent { get; }

    IActorRefProvider Provider { get; }

    bool IsTerminated { get; }

    /// <summary>The actor that the names lead to from here; <see cref="ActorRefs.Nobody"/> when there is none.</summary>
    IActorRef GetChild(IReadOnlyList<string> name);

    void Resume(Exception causedByFailure = null!);

    void Start();

    void Stop();

    void Restart(Exception cause);

    void Suspend();

    void SendSystemMessage(Dispatch.SysMsg.ISystemMessage message);

    void SendSystemMessage(Dispatch.SysMsg.ISystemMessage message, IActorRef sender);
}

/// <summary>A reference that may exist before its actor does.</summary>
public interface IRepointableRef : IActorRefScope
{
    bool IsStarted { get; }
}
