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
    private readonly Dictionary<(Address, Address), (IHandleEventListener, IHandleEventListener)> _listeners = [];

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
            _listeners[key] = listeners;
    }

    public Option<(IHandleEventListener, IHandleEventListener)> DeregisterAssociation((Address, Address) key)
    {
        lock (_lock)
        {
            return _listeners.Remove(key, out (IHandleEventListener, IHandleEventListener) found)
                ? new Option<(IHandleEventListener, IHandleEventListener)>(found)
                : Option<(IHandleEventListener, IHandleEventListener)>.None;
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
            return _listeners.TryGetValue(localHandle.Key, out (IHandleEventListener, IHandleEventListener) pair) && IsOf(localHandle, pair)
                ? RemoteListenerRelativeTo(localHandle, pair)
                : null!;
        }
    }

    /// <summary>Leaves alone a later association between the same addresses.</summary>
    /// <returns>The listener at the other end; null when the association is not open.</returns>
    internal IHandleEventListener? Deregister(TestAssociationHandle localHandle)
    {
        lock (_lock)
        {
            if (!_listeners.TryGetValue(localHandle.Key, out (IHandleEventListener, IHandleEventListener) pair) || !IsOf(localHandle, pair))
                return null;
            _listeners.Remove(localHandle.Key);
            return RemoteListenerRelativeTo(localHandle, pair);
        }
    }

    private static bool IsOf(TestAssociationHandle handle, (IHandleEventListener, IHandleEventListener) pair) =>
        handle.ReadHandlerSource.Task is { IsCompletedSuccessfully: true } own && ReferenceEquals(own.Result, handle.Inbound ? pair.Item2 : pair.Item1);

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
}
