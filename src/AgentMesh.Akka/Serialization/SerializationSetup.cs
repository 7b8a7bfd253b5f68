using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Setup;

namespace Akka.Serialization;

/// <summary>Adds serializers that are made by code.</summary>
public sealed class SerializationSetup : Setup
{
    private SerializationSetup(Func<ExtendedActorSystem, ImmutableHashSet<SerializerDetails>> createSerializers) => CreateSerializers = createSerializers;

    public Func<ExtendedActorSystem, ImmutableHashSet<SerializerDetails>> CreateSerializers { get; }

    public static SerializationSetup Create(Func<ExtendedActorSystem, ImmutableHashSet<SerializerDetails>> createSerializers) => new(createSerializers);
}

/// <summary>A serializer, its name and what it is for.</summary>
public sealed class SerializerDetails
{
    private SerializerDetails(string alias, Serializer serializer, ImmutableHashSet<Type> useFor)
    {
        Alias = alias;
        Serializer = serializer;
        UseFor = useFor;
    }

    public string Alias { get; }

    public Serializer Serializer { get; }

    public ImmutableHashSet<Type> UseFor { get; }

    public static SerializerDetails Create(string alias, Serializer serializer, ImmutableHashSet<Type> useFor) => new(alias, serializer, useFor);
}
