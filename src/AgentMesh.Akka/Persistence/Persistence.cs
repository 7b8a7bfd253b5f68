using System.Reflection;
using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence;

/// <summary>The persistence extension: <c>Persistence.Instance.Apply(system)</c>.</summary>
public class Persistence : ExtensionIdProvider<PersistenceExtension>
{
    public static Persistence Instance { get; } = new();

    public static Config DefaultConfig()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Akka.Persistence.persistence.conf")!;
        using StreamReader reader = new(stream);
        return ConfigurationFactory.ParseString(reader.ReadToEnd());
    }

    public override PersistenceExtension CreateExtension(ExtendedActorSystem system) => new(system);
}

public sealed class PersistenceSettings : Settings
{
    public PersistenceSettings(ActorSystem system, Config config)
        : base(system, config) => Internal = new InternalSettings(config);

    public InternalSettings Internal { get; }

    public sealed class InternalSettings(Config config)
    {
        /// <summary>Whether plug-ins publish the commands they get on the event stream; for tests.</summary>
        public bool PublishPluginCommands { get; } = config.GetBoolean("akka.persistence.publish-plugin-commands", false);
    }
}
