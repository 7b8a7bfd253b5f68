using Akka.Dispatch.SysMsg;
using Akka.Util;

namespace Akka.Actor;

/// <summary>The base of references: identity is path plus uid.</summary>
public abstract class ActorRefBase : IActorRef
{
    public abstract ActorPath Path { get; }

    public void Tell(object message, IActorRef sender) => TellInternal(message, sender);

    public bool Equals(IActorRef? other) =>
        ReferenceEquals(this, other) || (other is not null && Path.Uid == other.Path.Uid && Path.Equals(other.Path));

    public override bool Equals(object? obj) => obj is IActorRef other && Equals(other);

    public override int GetHashCode() => Path.Uid == ActorCell.UndefinedUid ? Path.GetHashCode() : Path.Uid.GetHashCode();

    public int CompareTo(IActorRef? other)
    {
        if (other is null)
            return 1;
        int byPath = Path.CompareTo(other.Path);
        return byPath != 0 ? byPath : Path.Uid.CompareTo(other.Path.Uid);
    }

    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        IActorRef other => CompareTo(other),
        _ => throw new ArgumentException("Only a reference compares with a reference", nameof(obj)),
    };

    public override string ToString() => $"[{Path.ToStringWithUid()}]";

    public virtual ISurrogate ToSurrogate(ActorSystem system) => new Surrogate(Serialization.Serialization.SerializedActorPath(this));

    protected abstract void TellInternal(object message, IActorRef sender);

    /// <summary>The stand-in of a reference.</summary>
    public class Surrogate : ISurrogate
    {
        public Surrogate(string path) => Path = path;

        public string Path { get; }

        public ISurrogated FromSurrogate(ActorSystem system) => ((ExtendedActorSystem)system).Provider.ResolveActorRef(Path);
    }
}

/// <summary>The base of the engine's references.</summary>
public abstract class InternalActorRefBase : ActorRefBase, IInternalActorRef
{
    public abstract IInternalActorRef Parent { get; }

    public abstract IActorRefProvider Provider { get; }

    public abstract bool IsTerminated { get; }

    public abstract bool IsLocal { get; }

    public abstract IActorRef GetChild(IReadOnlyList<string> name);

    public abstract void Resume(Exception causedByFailure = null!);

    public abstract void Start();

    public abstract void Stop();

    public abstract void Restart(Exception cause);

    public abstract void Suspend();

    public abstract void SendSystemMessage(ISystemMessage message);

    public void SendSystemMessage(ISystemMessage message, IActorRef sender) => SendSystemMessage(message);
}

/// <summary>A reference without an actor behind it; life-cycle requests do nothing unless overridden.</summary>
public abstract class MinimalActorRef : InternalActorRefBase
{
    public override IInternalActorRef Parent => ActorRefs.Nobody;

    public override bool IsTerminated => false;

    public override bool IsLocal => true;

    public override IActorRef GetChild(IReadOnlyList<string> name) =>
        name.All(string.IsNullOrEmpty) ? this : ActorRefs.Nobody;

    public override void Resume(Exception causedByFailure = null!)
    {
    }

    public override void Start()
    {
    }

    public override void Stop()
    {
    }

    public override void Restart(Exception cause)
    {
    }

    public override void Suspend()
    {
    }

    public override void SendSystemMessage(ISystemMessage message)
    {
    }

    protected override void TellInternal(object message, IActorRef sender)
    {
    }
}

/// <summary>A reference with an actor cell behind it, and so with children.</summary>
public abstract class ActorRefWithCell : InternalActorRefBase
{
    public abstract IEnumerable<IActorRef> Children { get; }

    public abstract IInternalActorRef GetSingleChild(string name);
}
