namespace Akka.Persistence;

/// <summary>Handlers in the order of their definition, looked up by the message's type once per type.</summary>
internal sealed class HandlerTable
{
    /// <summary>So many are looked through one after the other: an index for each of a hundred thousand actors takes more than it saves.</summary>
    private const int IndexedFrom = 12;

    private readonly List<(Type Type, Func<object, bool> Handler)> _handlers = [];
    private Dictionary<Type, Func<object, bool>[]>? _byType;

    public void Add<T>(Action<T> handler, Predicate<T>? shouldHandle) => Add(typeof(T), message =>
    {
        T typed = (T)message;
        if (shouldHandle is not null && !shouldHandle(typed))
        {
            return false;
        }

        handler(typed);
        return true;
    });

    public void Add(Type type, Action<object> handler, Predicate<object>? shouldHandle) => Add(type, message =>
    {
        if (shouldHandle is not null && !shouldHandle(message))
        {
            return false;
        }

        handler(message);
        return true;
    });

    public void Add(Type type, Func<object, bool> handler)
    {
        _handlers.Add((type, handler));
        _byType = null;
    }

    public bool TryHandle(object message)
    {
        if (_handlers.Count < IndexedFrom)
        {
            return TryEach(message);
        }

        Type type = message.GetType();
        _byType ??= [];
        if (!_byType.TryGetValue(type, out Func<object, bool>[]? candidates))
        {
            candidates = [.. _handlers.Where(h => h.Type.IsAssignableFrom(type)).Select(h => h.Handler)];
            _byType.Add(type, candidates);
        }

        foreach (Func<object, bool> handler in candidates)
        {
            if (handler(message))
            {
                return true;
            }
        }

        return false;
    }

    private bool TryEach(object message)
    {
        // By number: a handler may define further ones.
        for (int i = 0; i < _handlers.Count; i++)
        {
            if (_handlers[i].Type.IsInstanceOfType(message) && _handlers[i].Handler(message))
            {
                return true;
            }
        }

        return false;
    }
}
