using System.Diagnostics.CodeAnalysis;
using Akka.Actor.Internal;

namespace Akka.Actor;

/// <summary>Children.</summary>
public partial class ActorCell
{
    private Children? _children;
    private long _nextRandomName = -1;

    private Children ChildList
    {
        get
        {
            Children? children = Volatile.Read(ref _children);
            if (children is not null)
                return children;
            children = new Children();
            return Interlocked.CompareExchange(ref _children, children, null) ?? children;
        }
    }

    private bool ChildrenAwaited => Volatile.Read(ref _children)?.IsWaiting ?? false;

    protected bool IsTerminating => Volatile.Read(ref _children)?.IsTerminating ?? false;

    protected bool IsNormal => Volatile.Read(ref _children)?.IsNormal ?? true;

    public virtual IActorRef ActorOf(Props props, string name = null!) => MakeChild(props, CheckName(name), systemService: false);

    public virtual IActorRef AttachChild(Props props, bool isSystemService, string name = null!) => MakeChild(props, CheckName(name), isSystemService);

    /// <exception cref="InvalidActorNameException">The name is taken.</exception>
    public void ReserveChild(string name) => ChildList.Reserve(name, _self.Path);

    public ChildRestartStats InitChild(IInternalActorRef actor)
    {
        var stats = new ChildRestartStats(actor) { Clock = _system.Clock };
        ChildList.Add(actor.Path.Name, stats);
        return stats;
    }

    IActorRef IActorContext.Child(string name) => GetSingleChild(name);

    public IEnumerable<IInternalActorRef> GetChildren() => AllChildren().Select(c => c.Child);

    IEnumerable<IActorRef> IActorContext.GetChildren() => GetChildren();

    public IInternalActorRef GetChildByName(string name) => TryGetChildStatsByName(name, out IChildStats stats) && stats is ChildRestartStats known ? known.Child : null!;

    public bool TryGetChildStatsByName(string name, out IChildStats child)
    {
        child = null!;
        return Volatile.Read(ref _children)?.TryGetByName(name, out child) ?? false;
    }

    /// <param name="name">May end with <c>#uid</c>; then only that incarnation is meant.</param>
    /// <returns><see cref="ActorRefs.Nobody"/> when there is no such child.</returns>
    public IInternalActorRef GetSingleChild(string name)
    {
        int hash = name.IndexOf('#');
        IInternalActorRef? child = GetChildByName(hash < 0 ? name : name[..hash]);
        if (child is null)
            return ActorRefs.Nobody;
        bool anyIncarnation = hash < 0 || !long.TryParse(name.AsSpan(hash + 1), out long uid) || uid == UndefinedUid || uid == child.Path.Uid;
        return anyIncarnation ? child : ActorRefs.Nobody;
    }

    /// <summary>Stops an actor of this process; a child is awaited when this actor restarts or ends.</summary>
    public void Stop(IActorRef child)
    {
        if (TryGetChildStatsByRef(child, out _))
            ChildList.ShallDie(child);
        ((IInternalActorRef)child).Stop();
    }

    protected bool TryGetChildStatsByRef(IActorRef actor, [NotNullWhen(true)] out ChildRestartStats child)
    {
        child = null!;
        return Volatile.Read(ref _children)?.TryGetByRef(actor, out child) ?? false;
    }

    protected void UnreserveChild(string name) => ChildList.Unreserve(name);

    private IReadOnlyList<ChildRestartStats> AllChildren() => Volatile.Read(ref _children)?.All() ?? [];

    private string CheckName(string name)
    {
        if (name is null)
            return RandomName();
        if (name.Length == 0)
            throw new InvalidActorNameException("Actor name must not be empty");
        if (!ActorPath.IsValidPathElement(name))
            throw new InvalidActorNameException($"Illegal actor name [{name}]: it may not start with $ and may have only ASCII letters, digits, %hh and {ActorPath.ValidSymbols}");
        return name;
    }

    private string RandomName() => Base64Names.Of(Interlocked.Increment(ref _nextRandomName));

    private IInternalActorRef MakeChild(Props props, string name, bool systemService)
    {
        ReserveChild(name);
        IInternalActorRef child;
        try
        {
            var path = new ChildActorPath(_self.Path, name, _system.NextUid());
            child = _system.Provider.ActorOf(_system, props, _self, path, systemService, null!, lookupDeploy: true, async: false);
        }
        catch
        {
            UnreserveChild(name);
            throw;
        }

        // A child that is made while its parent is suspended is resumed with it.
        for (int i = Mailbox.SuspendCount - (_asyncRunning ? 1 : 0); i > 0; i--)
            child.Suspend();
        InitChild(child);
        child.Start();
        return child;
    }
}

/// <summary>Names for actors that were given none: $a, $b, ... as numbers in base 64.</summary>
internal static class Base64Names
{
    private const string Digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+~";

    public static string Of(long number)
    {
        Span<char> text = stackalloc char[12];
        int length = 0;
        text[length++] = '$';
        do
        {
            text[length++] = Digits[(int)(number & 63)];
            number >>= 6;
        }
        while (number != 0);
        return text[..length].ToString();
    }
}
