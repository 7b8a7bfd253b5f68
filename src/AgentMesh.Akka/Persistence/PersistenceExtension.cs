using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence.Journal;

namespace Akka.Persistence;

/// <summary>The persistence of an actor system: its journals, snapshot stores and recovery permits.</summary>
public class PersistenceExtension : IExtension
{
    private const string JournalFallback = "akka.persistence.journal-plugin-fallback";
    private const string SnapshotFallback = "akka.persistence.snapshot-store-plugin-fallback";

    private readonly ExtendedActorSystem _system;
    private readonly Config _config;
    private readonly ConcurrentDictionary<string, Lazy<PersistencePlugin>> _plugins = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PersistencePlugin> _byActorName = new(StringComparer.Ordinal);
    private readonly string _defaultJournal;
    private readonly string _defaultSnapshotStore;

    public PersistenceExtension(ExtendedActorSystem system)
    {
        _system = system;
        _system.Settings.InjectTopLevelFallback(Persistence.DefaultConfig());
        Settings = new PersistenceSettings(system, system.Settings.Config);
        _config = system.Settings.Config.GetConfig("akka.persistence")!;
        Clock = system.Settings.Clock;
        _defaultJournal = _config.GetString("journal.plugin")!;
        string snapshots = _config.GetString("snapshot-store.plugin", string.Empty)!;
        _defaultSnapshotStore = snapshots.Length == 0 ? "akka.persistence.no-snapshot-store" : snapshots;
        InternalStashCapacity = _config.GetInt("internal-stash-capacity", 100_000);
        Type configurator = PersistencePlugin.ResolveType(_config.GetString("internal-stash-overflow-strategy")!, "akka.persistence.internal-stash-overflow-strategy");
        DefaultInternalStashOverflowStrategy = ((IStashOverflowStrategyConfigurator)Activator.CreateInstance(configurator)!).Create(system.Settings.Config);
        int permits = _config.GetInt("max-concurrent-recoveries", 64);
        RecoveryPermitter = system.SystemActorOf(Props.Create(() => new RecoveryPermitter(permits)), "recoveryPermitter");
    }

    public PersistenceSettings Settings { get; }

    public IStashOverflowStrategy DefaultInternalStashOverflowStrategy { get; }

    internal IActorRef RecoveryPermitter { get; }

    internal int InternalStashCapacity { get; }

    internal TimeProvider Clock { get; }

    /// <summary>The journal at a configuration path, started when it is asked for the first time; empty for the default one.</summary>
    /// <exception cref="ArgumentException">The path has no class.</exception>
    public IActorRef JournalFor(string journalPluginId) => Journal(journalPluginId).Actor;

    /// <summary>The snapshot store at a configuration path, started when it is asked for the first time; empty for the default one.</summary>
    /// <exception cref="ArgumentException">The path has no class.</exception>
    public IActorRef SnapshotStoreFor(string snapshotPluginId) =>
        Plugin(string.IsNullOrEmpty(snapshotPluginId) ? _defaultSnapshotStore : snapshotPluginId, SnapshotFallback).Actor;

    public EventAdapters AdaptersFor(string journalPluginId) => Journal(journalPluginId).Adapters;

    /// <summary>An id for an actor that names none: its path without the address.</summary>
    public string PersistenceId(IActorRef actor) => actor.Path.ToStringWithoutAddress();

    internal TimeSpan RecoveryTimeoutOf(string journalPluginId) => Journal(journalPluginId).RecoveryTimeout;

    internal int MessageBatchMax(string journalPluginId) => Journal(journalPluginId).MessageBatchMax;

    /// <summary>The settings of a plug-in actor, for its base class.</summary>
    internal PersistencePlugin PluginOf(IActorRef plugin) =>
        _byActorName.TryGetValue(plugin.Path.Name, out PersistencePlugin? found)
            ? found
            : new PersistencePlugin(plugin.Path.Name, _system.Settings.Config.GetConfig(JournalFallback)!, _system);

    private PersistencePlugin Journal(string id) => Plugin(string.IsNullOrEmpty(id) ? _defaultJournal : id, JournalFallback);

    private PersistencePlugin Plugin(string id, string fallback) => _plugins.GetOrAdd(id, path => new Lazy<PersistencePlugin>(() => Start(path, fallback))).Value;

    private PersistencePlugin Start(string path, string fallback)
    {
        Config? own = _system.Settings.Config.GetConfig(path);
        if (own is null || own.IsEmpty)
        {
            throw new ArgumentException($"there is no persistence plug-in at the configuration path \"{path}\"");
        }

        PersistencePlugin plugin = new(path, own.WithFallback(_system.Settings.Config.GetConfig(fallback)!), _system);

        // The actor looks its settings up while it is constructed.
        _byActorName[path] = plugin;
        plugin.Start();
        return plugin;
    }
}
