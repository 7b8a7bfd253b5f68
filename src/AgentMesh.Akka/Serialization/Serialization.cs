using System.Collections.Concurrent;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Configuration.Hocon;
using Akka.Util.Internal;

namespace Akka.Serialization;

/// <summary>
/// The serializers of a system. A type has the serializer that <c>akka.actor.serialization-bindings</c> gives to it or to the nearest
/// type above it. There is no serializer for everything: what has no binding cannot leave the process.
/// </summary>
public class Serialization
{
    /// <summary>Messages in messages that are read. Each level takes some of the stack, and bytes may come from anybody.</summary>
    private const int NestingMax = 16;

    [ThreadStatic]
    private static Information? t_transport;

    [ThreadStatic]
    private static int t_nesting;

    private readonly object _gate = new();
    private readonly NullSerializer _null;
    private readonly ConcurrentDictionary<Type, Serializer> _byType = new();
    private readonly Dictionary<string, Serializer> _byName = new(StringComparer.Ordinal);
    private volatile Dictionary<int, Serializer> _byId = [];
    private volatile List<(Type Type, Serializer Serializer)> _bindings = [];

    public Serialization(ExtendedActorSystem system)
    {
        System = system;
        _null = new NullSerializer(system);
        AddSerializer("null", _null);
        Config config = system.Settings.Config;
        foreach (KeyValuePair<string, HoconValue> entry in Section(config, "akka.actor.serializers"))
        {
            // A type that is not loaded is no error: the part of the engine it belongs to is not in use.
            string typeName = entry.Value.GetString() ?? string.Empty;
            if (TypeResolver.Find(typeName) is not null)
                AddSerializer(entry.Key, Create(typeName, $"akka.actor.serializers.{entry.Key}", config));
        }

        foreach (KeyValuePair<string, HoconValue> entry in Section(config, "akka.actor.serialization-bindings"))
        {
            string alias = entry.Value.GetString() ?? string.Empty;
            if (TypeResolver.Find(entry.Key) is not { } type || alias.Length == 0)
                continue;
            if (!_byName.TryGetValue(alias, out Serializer? serializer))
                throw new ConfigurationException($"akka.actor.serialization-bindings.\"{entry.Key}\" names the serializer '{alias}', which is not in akka.actor.serializers");
            AddSerializationMap(type, serializer);
        }

        foreach (SerializerDetails details in system.Settings.Setup.Get<SerializationSetup>() is { HasValue: true } setup ? setup.Value.CreateSerializers(system) : [])
        {
            AddSerializer(details.Alias, details.Serializer);
            foreach (Type type in details.UseFor)
                AddSerializationMap(type, details.Serializer);
        }
    }

    public ExtendedActorSystem System { get; }

    /// <summary>The address that references are written with on this thread; null outside of <c>WithTransport</c>.</summary>
    public static Information GetCurrentTransportInformation() =>
        t_transport ?? throw new InvalidOperationException("CurrentTransportInformation is not set: use Serialization.WithTransport");

    /// <summary>Runs the function with references written for readers elsewhere.</summary>
    public static T WithTransport<T>(ExtendedActorSystem system, Func<T> action) => WithTransport(system, action, static run => run());

    public static T WithTransport<TState, T>(ExtendedActorSystem system, TState state, Func<TState, T> action)
    {
        Information? before = t_transport;
        t_transport = system.Provider.SerializationInformation;
        try
        {
            return action(state);
        }
        finally
        {
            t_transport = before;
        }
    }

    public static T WithTransport<T>(ActorSystem system, Address address, Func<T> action)
    {
        Information? before = t_transport;
        t_transport = new Information(address, system);
        try
        {
            return action();
        }
        finally
        {
            t_transport = before;
        }
    }

    /// <summary>How a reference is written: its path with uid and, for one of this process, with the address of the transport in use.</summary>
    public static string SerializedActorPath(IActorRef actorRef)
    {
        if (actorRef is null)
            return string.Empty;
        if (actorRef is Nobody)
            return actorRef.Path.ToStringWithoutAddress();
        Information? transport = t_transport;
        if (transport is null)
            return actorRef.Path.ToSerializationFormat();
        Address address = transport.Address;
        if (transport.System is ExtendedActorSystem system && address.HasLocalScope && actorRef.Path.Address.HasLocalScope)
            address = system.Provider.DefaultAddress;
        return actorRef.Path.ToSerializationFormatWithAddress(address);
    }

    public static string ManifestFor(Serializer s, object msg) => s switch
    {
        SerializerWithStringManifest named => named.Manifest(msg),
        { IncludeManifest: true } => Util.TypeExtensions.TypeQualifiedName(msg.GetType()),
        _ => string.Empty,
    };

    /// <exception cref="ArgumentException">The identifier belongs to another serializer.</exception>
    public void AddSerializer(Serializer serializer)
    {
        lock (_gate)
        {
            if (_byId.TryGetValue(serializer.Identifier, out Serializer? other) && other.GetType() != serializer.GetType())
                throw new ArgumentException($"Serializer identifier {serializer.Identifier} of {serializer.GetType().FullName} belongs to {other.GetType().FullName} already", nameof(serializer));
            _byId = new Dictionary<int, Serializer>(_byId) { [serializer.Identifier] = serializer };
        }
    }

    public void AddSerializer(string name, Serializer serializer)
    {
        AddSerializer(serializer);
        lock (_gate)
            _byName[name] = serializer;
    }

    public void AddSerializationMap(Type type, Serializer serializer)
    {
        lock (_gate)
        {
            _bindings = [.. _bindings.Where(b => b.Type != type), (type, serializer)];
            _byType.Clear();
        }
    }

    public byte[] Serialize(object o) => WithTransport(System, (Self: this, Object: o), static s => s.Self.FindSerializerFor(s.Object).ToBinary(s.Object));

    /// <exception cref="SerializationException">No serializer with that identifier, or it does not know the manifest, or messages lie in messages too deep.</exception>
    public object Deserialize(byte[] bytes, int serializerId, string manifest)
    {
        Serializer serializer = ById(serializerId);
        if (t_nesting >= NestingMax)
            throw new SerializationException($"Messages in messages, more than {NestingMax} deep");
        t_nesting++;
        try
        {
            if (serializer is SerializerWithStringManifest named)
                return named.FromBinary(bytes, manifest);
            if (serializer.IncludeManifest)
                throw new SerializationException($"{serializer.GetType().FullName} (identifier {serializerId}) would need a CLR type for '{manifest}'; types are not taken from bytes, use a SerializerWithStringManifest");
            return serializer.FromBinary(bytes, null!);
        }
        finally
        {
            t_nesting--;
        }
    }

    public object Deserialize(byte[] bytes, int serializerId, Type type) => ById(serializerId).FromBinary(bytes, type);

    /// <exception cref="SerializationException">Neither the type nor any above it has a binding.</exception>
    public Serializer FindSerializerFor(object obj, string defaultSerializerName = null!) =>
        obj is null ? _null : FindSerializerForType(obj.GetType(), defaultSerializerName);

    /// <inheritdoc cref="FindSerializerFor"/>
    public Serializer FindSerializerForType(Type objectType, string defaultSerializerName = null!)
    {
        if (_byType.TryGetValue(objectType, out Serializer? known))
            return known;
        Serializer? found = Nearest(objectType);
        if (found is null && defaultSerializerName is not null)
        {
            lock (_gate)
                _byName.TryGetValue(defaultSerializerName, out found);
        }

        if (found is null)
            throw new SerializationException($"No serializer for {objectType.FullName}: bind it, or an interface it has, in akka.actor.serialization-bindings");
        return _byType.GetOrAdd(objectType, found);
    }

    public IActorRef DeserializeActorRef(string path) => System.Provider.ResolveActorRef(path);

    /// <summary>Writes and reads a message, when the configuration asks for that check.</summary>
    internal Envelope RoundTrip(in Envelope envelope, ActorSystem target)
    {
        object message = envelope.Message;
        if (Util.Internal.SerializationCheck.IsExempt(message))
            return envelope;
        Serializer serializer = FindSerializerFor(message);
        byte[] bytes = WithTransport(System, (serializer, message), static s => s.serializer.ToBinary(s.message));
        return new Envelope(Deserialize(bytes, serializer, message), envelope.Sender);
    }

    private static IEnumerable<KeyValuePair<string, HoconValue>> Section(Config config, string path) => config.GetConfig(path)?.AsEnumerable() ?? [];

    private object Deserialize(byte[] bytes, Serializer serializer, object original) => serializer is SerializerWithStringManifest named
        ? named.FromBinary(bytes, named.Manifest(original))
        : serializer.FromBinary(bytes, original.GetType());

    private Serializer Create(string typeName, string setting, Config config)
    {
        Type type = TypeResolver.Get(typeName, setting);
        Config? own = config.GetConfig("akka.actor.serialization-settings." + setting[(setting.LastIndexOf('.') + 1)..]);
        bool withConfig = type.GetConstructor([typeof(ExtendedActorSystem), typeof(Config)]) is not null;
        return withConfig
            ? TypeResolver.Create<Serializer>(typeName, setting, System, own ?? Config.Empty)
            : TypeResolver.Create<Serializer>(typeName, setting, System);
    }

    private Serializer ById(int id) => _byId.TryGetValue(id, out Serializer? serializer)
        ? serializer
        : throw new SerializationException($"No serializer has the identifier {id}; it is missing in akka.actor.serializers on this side");

    /// <summary>The binding of the type itself, else of the most specific type above it.</summary>
    private Serializer? Nearest(Type type)
    {
        (Type Type, Serializer Serializer)? best = null;
        foreach ((Type Type, Serializer Serializer) binding in _bindings)
        {
            if (binding.Type == type)
                return binding.Serializer;
            if (binding.Type.IsAssignableFrom(type) && (best is null || best.Value.Type.IsAssignableFrom(binding.Type)))
                best = binding;
        }

        return best?.Serializer;
    }
}
