using Akka.Actor;
using Akka.Util;

namespace Akka.Remote.Transport;

/// <summary>The "network" of <see cref="TestTransport"/>s that were made with the same key. Thread-safe.</summary>
public class AssociationRegistry
{
    // Only the last activities are kept: a load test must not fill the memory with its log.
    private const int LogMax = 10_000;

    private static readonly Dictionary<string, AssociationRegistry> Registries = new(StringComparer.Ordinal);

    private readonly Lock _lock = new();
    private readonly Queue<Activity> _log = new();
    private readonly Dictionary<Address, (TestTransport Transport, Task<IAssociationEventListener> Listener)> _transports = [];

    // A system may open a second association before the first is closed: the newest is the last.
    private readonly Dictionary<(Address, Address), List<(IHandleEventListener, IHandleEventListener)>> _listeners = [];

    public static AssociationRegistry Get(string key)
    {
        lock (Registries)
        {
            if (!Registries.TryGetValue(key, out AssociationRegistry? registry))
                Registries.Add(key, registry = new AssociationRegistry());
            return registry;
        }
    }

    public static void Clear()
    {
        lock (Registries)
            Registries.Clear();
    }

    /// <summary>A later transport with the same address takes the place of the earlier one.</summary>
    public void RegisterTransport(TestTransport transport, Task<IAssociationEventListener> associationEventListenerTask)
    {
        lock (_lock)
            _transports[transport.LocalAddress] = (transport, associationEventListenerTask);
    }

    public Option<(TestTransport, Task<IAssociationEventListener>)> TransportFor(Address address)
    {
        lock (_lock)
        {
            return _transports.TryGetValue(address, out (TestTransport, Task<IAssociationEventListener>) found)
                ? new Option<(TestTransport, Task<IAssociationEventListener>)>(found)
                : Option<(TestTransport, Task<IAssociationEventListener>)>.None;
        }
    }

    public bool TransportsReady(params Address[] addresses)
    {
        lock (_lock)
            return addresses.All(_transports.ContainsKey);
    }

    /// <param name="listeners">The initiator's first.</param>
    public void RegisterListenerPair((Address, Address) key, (IHandleEventListener, IHandleEventListener) listeners)
    {
        lock (_lock)
        {
            if (!_listeners.TryGetValue(key, out List<(IHandleEventListener, IHandleEventListener)>? open))
                _listeners.Add(key, open = []);
            open.Add(listeners);
        }
    }

    /// <summary>Cuts every association that the first system opened to the second. Nobody is told.</summary>
    /// <returns>The listeners of the newest.</returns>
    public Option<(IHandleEventListener, IHandleEventListener)> DeregisterAssociation((Address, Address) key)
    {
        lock (_lock)
        {
            return _listeners.Remove(key, out List<(IHandleEventListener, IHandleEventListener)>? found)
                ? new Option<(IHandleEventListener, IHandleEventListener)>(found[^1])
                : Option<(IHandleEventListener, IHandleEventListener)>.None;
        }
    }

    /// <summary>Closes one association.</summary>
    /// <returns>Its remote listener; null when it is not open.</returns>
    internal IHandleEventListener? Deregister(TestAssociationHandle handle)
    {
        lock (_lock)
        {
            if (Find(handle, out List<(IHandleEventListener, IHandleEventListener)>? open) is not { } pair)
                return null;
            open!.Remove(pair);
            if (open.Count == 0)
                _listeners.Remove(handle.Key);
            return RemoteListenerRelativeTo(handle, pair);
        }
    }

    public bool ExistsAssociation(Address initiatorAddress, Address remoteAddress)
    {
        lock (_lock)
            return _listeners.ContainsKey((initiatorAddress, remoteAddress));
    }

    public IHandleEventListener RemoteListenerRelativeTo(TestAssociationHandle handle, (IHandleEventListener, IHandleEventListener) listenerPair) =>
        handle.Inbound ? listenerPair.Item1 : listenerPair.Item2;

    /// <summary>Null when the association is not open.</summary>
    public IHandleEventListener GetRemoteReadHandlerFor(TestAssociationHandle localHandle)
    {
        lock (_lock)
        {
            return Find(localHandle, out _) is { } pair ? RemoteListenerRelativeTo(localHandle, pair) : null!;
        }
    }

    public void LogActivity(Activity activity)
    {
        lock (_lock)
        {
            if (_log.Count == LogMax)
                _log.Dequeue();
            _log.Enqueue(activity);
        }
    }

    public IList<Activity> LogSnapshot()
    {
        lock (_lock)
            return [.. _log];
    }

    public void ClearLog()
    {
        lock (_lock)
            _log.Clear();
    }

    public void Reset()
    {
        lock (_lock)
        {
            _log.Clear();
            _transports.Clear();
            _listeners.Clear();
        }
    }

    private (IHandleEventListener, IHandleEventListener)? Find(TestAssociationHandle handle, out List<(IHandleEventListener, IHandleEventListener)>? open)
    {
        if (!_listeners.TryGetValue(handle.Key, out open) || !handle.ReadHandlerSource.Task.IsCompletedSuccessfully)
            return null;
        IHandleEventListener own = handle.ReadHandlerSource.Task.Result;
        int at = open.FindLastIndex(pair => ReferenceEquals(handle.Inbound ? pair.Item2 : pair.Item1, own));
        return at < 0 ? null : open[at];
    }
}
