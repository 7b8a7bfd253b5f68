using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.Configuration.Hocon;
using Akka.Event;

namespace Akka.Persistence.Journal;

/// <summary>The event adapters of one journal, from its settings <c>event-adapters</c> (name = class) and <c>event-adapter-bindings</c> (type = name or list of names).</summary>
public class EventAdapters
{
    private readonly ConcurrentDictionary<Type, IEventAdapter> _map;
    private readonly KeyValuePair<Type, IEventAdapter>[] _bindings;

    protected EventAdapters(ConcurrentDictionary<Type, IEventAdapter> map, IEnumerable<KeyValuePair<Type, IEventAdapter>> bindings, ILoggingAdapter log)
    {
        _map = map;
        _bindings = [.. bindings];
    }

    internal bool IsEmpty => _bindings.Length == 0;

    /// <exception cref="ArgumentException">A class cannot be found, or a binding names an adapter that is not defined.</exception>
    public static EventAdapters Create(ExtendedActorSystem system, Config config)
    {
        Dictionary<string, IEventAdapter> named = [];
        foreach ((string name, string[] classes) in Entries(config, "event-adapters"))
        {
            Type type = PersistencePlugin.ResolveType(classes[0], $"event-adapters.{name}");
            object instance = type.GetConstructor([typeof(ExtendedActorSystem)]) is { } constructor ? constructor.Invoke([system]) : Activator.CreateInstance(type)!;
            named[name] = instance switch
            {
                IEventAdapter both => both,
                IWriteEventAdapter write => new WriteOnly(write),
                IReadEventAdapter read => new ReadOnly(read),
                _ => throw new ArgumentException($"event-adapters.{name}: {type} is no event adapter"),
            };
        }

        List<KeyValuePair<Type, IEventAdapter>> bindings = [];
        foreach ((string typeName, string[] names) in Entries(config, "event-adapter-bindings"))
        {
            IEventAdapter[] adapters =
                [.. names.Select(n => named.TryGetValue(n, out IEventAdapter? a) ? a : throw new ArgumentException($"event-adapter-bindings: \"{typeName}\" names the adapter {n}, which is not defined"))];
            bindings.Add(new(PersistencePlugin.ResolveType(typeName, "event-adapter-bindings"), adapters.Length == 1 ? adapters[0] : new Several(adapters)));
        }

        // The most derived type decides.
        bindings.Sort((x, y) => x.Key == y.Key ? 0 : x.Key.IsAssignableFrom(y.Key) ? 1 : y.Key.IsAssignableFrom(x.Key) ? -1 : string.CompareOrdinal(x.Key.FullName, y.Key.FullName));
        return new EventAdapters(new ConcurrentDictionary<Type, IEventAdapter>(), bindings, system.Log);
    }

    public IEventAdapter Get<T>() => Get(typeof(T));

    public virtual IEventAdapter Get(Type type) =>
        _map.GetOrAdd(type, t => Array.Find(_bindings, b => b.Key.IsAssignableFrom(t)).Value ?? IdentityEventAdapter.Instance);

    private static IEnumerable<(string Name, string[] Values)> Entries(Config config, string path)
    {
        foreach (KeyValuePair<string, HoconValue> entry in config.GetConfig(path)?.AsEnumerable() ?? [])
        {
            yield return (entry.Key, entry.Value.IsArray() ? [.. entry.Value.GetStringList()] : [entry.Value.GetString() ?? string.Empty]);
        }
    }

    private sealed class WriteOnly(IWriteEventAdapter write) : IEventAdapter
    {
        public string Manifest(object evt) => write.Manifest(evt);

        public object ToJournal(object evt) => write.ToJournal(evt);

        public IEventSequence FromJournal(object evt, string manifest) => EventSequence.Single(evt);
    }

    private sealed class ReadOnly(IReadEventAdapter read) : IEventAdapter
    {
        public string Manifest(object evt) => string.Empty;

        public object ToJournal(object evt) => evt;

        public IEventSequence FromJournal(object evt, string manifest) => read.FromJournal(evt, manifest);
    }

    /// <summary>Reading asks all of them; writing needs exactly one.</summary>
    private sealed class Several(IEventAdapter[] adapters) : IEventAdapter
    {
        public string Manifest(object evt) => throw Ambiguous(evt);

        public object ToJournal(object evt) => throw Ambiguous(evt);

        public IEventSequence FromJournal(object evt, string manifest) => EventSequence.Create(adapters.SelectMany(a => a.FromJournal(evt, manifest).Events));

        private static InvalidOperationException Ambiguous(object evt) => new($"several event adapters are bound to {evt.GetType()}; only reading may have several");
    }
}
