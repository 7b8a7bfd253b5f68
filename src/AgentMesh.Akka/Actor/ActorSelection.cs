using Akka.Util;

namespace Akka.Actor;

/// <summary>A step of a selection.</summary>
public abstract class SelectionPathElement
{
}

/// <summary>Down to the child with this name.</summary>
public class SelectChildName : SelectionPathElement
{
    public SelectChildName(string name) => Name = name;

    public string Name { get; }

    public override bool Equals(object? obj) => obj is SelectChildName other && Equals(other);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);

    public override string ToString() => Name;

    protected bool Equals(SelectChildName other) => Name == other?.Name;
}

/// <summary>Down to every child whose name matches; <c>*</c> stands for any run of characters, <c>?</c> for one.</summary>
public class SelectChildPattern : SelectionPathElement
{
    public SelectChildPattern(string patternStr) => PatternStr = patternStr;

    public string PatternStr { get; }

    public override bool Equals(object? obj) => obj is SelectChildPattern other && Equals(other);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(PatternStr);

    public override string ToString() => PatternStr;

    protected bool Equals(SelectChildPattern other) => PatternStr == other?.PatternStr;

    internal bool Matches(string name) => name.Like(PatternStr, caseSensitive: true);
}

/// <summary>Up.</summary>
public class SelectParent : SelectionPathElement
{
    public static readonly SelectParent Instance = new();

    public override bool Equals(object? obj) => obj is SelectParent;

    public override int GetHashCode() => typeof(SelectParent).GetHashCode();

    public override string ToString() => "..";
}

/// <summary>A message on its way through a selection. Each actor on the way passes it on.</summary>
public class ActorSelectionMessage : IAutoReceivedMessage, IPossiblyHarmful, IWrappedMessage
{
    public ActorSelectionMessage(object message, SelectionPathElement[] elements, bool wildCardFanOut = false)
    {
        Message = message;
        Elements = elements;
        WildCardFanOut = wildCardFanOut;
    }

    public object Message { get; }

    /// <summary>The steps that are left.</summary>
    public SelectionPathElement[] Elements { get; }

    /// <summary>True when a pattern was passed: a missing actor is no news then.</summary>
    public bool WildCardFanOut { get; }

    public ActorSelectionMessage Copy(object message = null!, SelectionPathElement[] elements = null!, bool? wildCardFanOut = null) =>
        new(message ?? Message, elements ?? Elements, wildCardFanOut ?? WildCardFanOut);

    public override string ToString() => $"ActorSelectionMessage - Message: {Message} - WildCartFanOut: {WildCardFanOut} - Elements: {string.Join('/', Elements.AsEnumerable())}";
}

/// <summary>Actors named by a path that may have patterns. Nobody needs to be there; messages to nobody become dead letters.</summary>
public class ActorSelection : ICanTell
{
    public ActorSelection()
    {
        Anchor = ActorRefs.Nobody;
        Path = [];
    }

    public ActorSelection(IActorRef anchor, SelectionPathElement[] path)
    {
        Anchor = anchor;
        Path = path;
    }

    public ActorSelection(IActorRef anchor, string path)
        : this(anchor, string.IsNullOrEmpty(path) ? [] : path.Split('/'))
    {
    }

    public ActorSelection(IActorRef anchor, IEnumerable<string> elements)
        : this(anchor, elements.Where(e => e.Length > 0 && e != ".").Select(Step).ToArray())
    {
    }

    /// <summary>Where the path starts.</summary>
    public IActorRef Anchor { get; }

    public SelectionPathElement[] Path { get; }

    public string PathString => "/" + string.Join('/', Path.AsEnumerable());

    public void Tell(object message, IActorRef sender = null!)
    {
        sender ??= ActorCell.GetCurrentSelfOrNoSender();
        DeliverSelection((IInternalActorRef)Anchor, sender, new ActorSelectionMessage(message, Path));
    }

    /// <inheritdoc cref="ResolveOne(TimeSpan, CancellationToken)"/>
    public Task<IActorRef> ResolveOne(TimeSpan timeout) => ResolveOne(timeout, CancellationToken.None);

    /// <summary>The actor, if there is one. With a pattern: the first that answers.</summary>
    /// <returns>Fails with <see cref="ActorNotFoundException"/> when there is none or it does not answer in time.</returns>
    public async Task<IActorRef> ResolveOne(TimeSpan timeout, CancellationToken ct)
    {
        ActorIdentity identity;
        try
        {
            identity = await this.Ask<ActorIdentity>(new Identify(null!), timeout, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AskTimeoutException or TaskCanceledException)
        {
            throw new ActorNotFoundException($"No actor answered for {this} within {timeout}", e);
        }

        return identity.Subject ?? throw new ActorNotFoundException($"No actor at {this}");
    }

    public override bool Equals(object? obj) => obj is ActorSelection other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Anchor, PathString);

    public override string ToString() => $"ActorSelection[Anchor({Anchor.Path}{(Anchor.Path.Uid == 0 ? string.Empty : "#" + Anchor.Path.Uid.ToString(System.Globalization.CultureInfo.InvariantCulture))}), Path({PathString})]";

    protected bool Equals(ActorSelection other) => other is not null && Equals(Anchor, other.Anchor) && Path.AsSpan().SequenceEqual(other.Path);

    /// <summary>Goes as far as this process reaches; the rest of the way is another actor's.</summary>
    internal static void DeliverSelection(IInternalActorRef anchor, IActorRef sender, ActorSelectionMessage selection)
    {
        IInternalActorRef current = anchor;
        for (int i = 0; i < selection.Elements.Length; i++)
        {
            if (!current.IsLocal)
            {
                current.Tell(selection.Copy(elements: selection.Elements[i..]), sender);
                return;
            }

            switch (selection.Elements[i])
            {
                case SelectParent:
                    current = current.Parent;
                    break;
                case SelectChildPattern pattern:
                    FanOut(current, sender, pattern, selection.Copy(elements: selection.Elements[(i + 1)..], wildCardFanOut: true), selection.WildCardFanOut);
                    return;
                case SelectChildName { Name: string name }:
                    var child = (IInternalActorRef)(current is ActorRefWithCell parent ? parent.GetSingleChild(name) : current.GetChild([name]));
                    if (child.IsNobody())
                    {
                        Missing(current, sender, selection, i);
                        return;
                    }

                    current = child;
                    break;
            }
        }

        current.Tell(selection.Message, sender);
    }

    private static void FanOut(IInternalActorRef parent, IActorRef sender, SelectChildPattern pattern, ActorSelectionMessage rest, bool wasFannedOut)
    {
        bool any = false;
        foreach (IActorRef child in parent is ActorRefWithCell withCell ? withCell.Children : [])
        {
            if (!pattern.Matches(child.Path.Name))
                continue;
            any = true;
            DeliverSelection((IInternalActorRef)child, sender, rest);
        }

        if (!any && !wasFannedOut && rest.Message is Identify identify)
            sender?.Tell(new ActorIdentity(identify.MessageId, null!), ActorRefs.NoSender);
    }

    private static void Missing(IInternalActorRef parent, IActorRef sender, ActorSelectionMessage selection, int at)
    {
        ActorPath path = parent.Path / selection.Elements[at..].Select(e => e.ToString()!);
        var empty = new EmptyLocalActorRef(parent.Provider, path, EventStreamOf(parent));
        empty.Tell(selection.Copy(elements: []), sender);
    }

    private static Event.EventStream EventStreamOf(IInternalActorRef actor) => actor.Provider.SerializationInformation.System.EventStream;

    private static SelectionPathElement Step(string element)
    {
        if (element == "..")
            return SelectParent.Instance;
        return element.AsSpan().ContainsAny('*', '?') ? new SelectChildPattern(element) : new SelectChildName(element);
    }
}

public static class ActorRefFactoryShared
{
    /// <param name="path">Absolute with address, absolute from the root of this system, or relative to <paramref name="lookupRoot"/>.</param>
    public static ActorSelection ActorSelection(string path, ActorSystem system, IActorRef lookupRoot)
    {
        IActorRefProvider provider = ((ExtendedActorSystem)system).Provider;
        if (path.StartsWith('/'))
            return new ActorSelection(provider.RootGuardian, path);
        if (!path.Contains("://", StringComparison.Ordinal))
            return new ActorSelection(lookupRoot, path);
        if (!ActorPath.TryParse(path, out ActorPath parsed))
            throw new UriFormatException($"'{path}' is not an actor path; expected protocol://system[@host:port]/name/name");
        return ActorSelection(parsed, system);
    }

    public static ActorSelection ActorSelection(ActorPath actorPath, ActorSystem system) =>
        new(((ExtendedActorSystem)system).Provider.RootGuardianAt(actorPath.Address), actorPath.Elements);

    public static ActorSelection ActorSelection(IActorRef anchorActorRef, string path) => new(anchorActorRef, path);
}
