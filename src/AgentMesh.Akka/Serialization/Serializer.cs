using System.Runtime.Serialization;
using Akka.Actor;

namespace Akka.Serialization;

/// <summary>Turns objects of some types into bytes and back. Named by <c>akka.actor.serializers</c>; must be safe from several threads.</summary>
public abstract class Serializer
{
    protected readonly ExtendedActorSystem system;

    private int? _identifier;

    protected Serializer(ExtendedActorSystem system) => this.system = system;

    /// <summary>Unique among the serializers of all systems that talk to each other. 0 to 40 belong to the engine.</summary>
    public virtual int Identifier => _identifier ??= SerializerIdentifierHelper.GetSerializerIdentifierFromConfig(GetType(), system);

    /// <summary>True when <see cref="FromBinary(byte[], Type)"/> needs to know the type.</summary>
    public abstract bool IncludeManifest { get; }

    public abstract byte[] ToBinary(object obj);

    /// <summary>References in the object are written with the address, so that they can be used elsewhere.</summary>
    public byte[] ToBinaryWithAddress(Address address, object obj) =>
        Serialization.WithTransport(system, address, () => ToBinary(obj));

    public abstract object FromBinary(byte[] bytes, Type type);

    public T FromBinary<T>(byte[] bytes) => (T)FromBinary(bytes, typeof(T));
}

/// <summary>A serializer whose types have names of its own: the manifest is chosen by the serializer and outlives renamed classes.</summary>
public abstract class SerializerWithStringManifest : Serializer
{
    protected SerializerWithStringManifest(ExtendedActorSystem system)
        : base(system)
    {
    }

    public sealed override bool IncludeManifest => true;

    /// <summary>The manifest is the short name of the type.</summary>
    public sealed override object FromBinary(byte[] bytes, Type type) => FromBinary(bytes, Util.TypeExtensions.TypeQualifiedName(type));

    /// <exception cref="SerializationException">The manifest is not known, or the bytes are damaged.</exception>
    public abstract object FromBinary(byte[] bytes, string manifest);

    public abstract string Manifest(object o);
}

public static class SerializerIdentifierHelper
{
    /// <summary>Reads <c>akka.actor.serialization-identifiers."Type, Assembly"</c>.</summary>
    public static int GetSerializerIdentifierFromConfig(Type type, ExtendedActorSystem system)
    {
        Configuration.Config? section = system.Settings.Config.GetConfig("akka.actor.serialization-identifiers");
        foreach (KeyValuePair<string, Configuration.Hocon.HoconValue> entry in section?.AsEnumerable() ?? [])
        {
            if (Util.Internal.TypeResolver.Find(entry.Key) == type)
                return entry.Value.GetInt();
        }

        throw new ArgumentException($"No identifier for the serializer {type.FullName}: set akka.actor.serialization-identifiers.\"{Util.TypeExtensions.TypeQualifiedName(type)}\" or override Identifier");
    }
}
