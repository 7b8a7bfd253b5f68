using Akka.Configuration;
using Akka.Util;

namespace Akka.Actor;

/// <summary>The configuration of a system and its provider of references.</summary>
public sealed class BootstrapSetup : Setup.Setup
{
    private BootstrapSetup(Option<Config> config, Option<ProviderSelection> provider)
    {
        Config = config;
        ActorRefProvider = provider;
    }

    public Option<Config> Config { get; }

    public Option<ProviderSelection> ActorRefProvider { get; }

    public static BootstrapSetup Create() => new(Option<Config>.None, Option<ProviderSelection>.None);

    public BootstrapSetup WithActorRefProvider(ProviderSelection name) => new(Config, name);

    public BootstrapSetup WithConfig(Config config) => new(config, ActorRefProvider);

    /// <summary>Used for what the configuration does not say.</summary>
    public BootstrapSetup WithConfigFallback(Config config) => new(Config.HasValue ? Config.Value.WithFallback(config) : config, ActorRefProvider);
}

/// <summary>Whether a system has remoting and a cluster.</summary>
public abstract class ProviderSelection
{
    private ProviderSelection(string identifier, string fqn, bool hasCluster)
    {
        Identifier = identifier;
        Fqn = fqn;
        HasCluster = hasCluster;
    }

    internal string Identifier { get; }

    internal string Fqn { get; }

    internal bool HasCluster { get; }

    internal static ProviderSelection Of(string identifier) => identifier switch
    {
        "local" or "" => Local.Instance,
        "remote" => Remote.Instance,
        "cluster" => Cluster.Instance,
        _ => new Custom(identifier, identifier, identifier.StartsWith(Cluster.Instance.Fqn, StringComparison.Ordinal)),
    };

    public sealed class Local : ProviderSelection
    {
        public static readonly Local Instance = new();

        private Local()
            : base("local", typeof(LocalActorRefProvider).FullName!, hasCluster: false)
        {
        }
    }

    public sealed class Remote : ProviderSelection
    {
        public static readonly Remote Instance = new();

        private Remote()
            : base("remote", "Akka.Remote.RemoteActorRefProvider, Akka.Remote", hasCluster: false)
        {
        }
    }

    public sealed class Cluster : ProviderSelection
    {
        public static readonly Cluster Instance = new();

        private Cluster()
            : base("cluster", "Akka.Cluster.ClusterActorRefProvider, Akka.Cluster", hasCluster: true)
        {
        }
    }

    public sealed class Custom : ProviderSelection
    {
        public Custom(string fqn, string identifier = null!, bool hasCluster = false)
            : base(identifier ?? fqn, fqn, hasCluster)
        {
        }
    }
}
