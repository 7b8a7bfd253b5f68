namespace Akka.Actor;

/// <summary>A service of which a system has one.</summary>
public interface IExtension
{
}

/// <summary>Identifies an extension and makes it.</summary>
public interface IExtensionId
{
    Type ExtensionType { get; }

    object Apply(ActorSystem system);

    object Get(ActorSystem system);

    object CreateExtension(ExtendedActorSystem system);
}

/// <inheritdoc cref="IExtensionId"/>
public interface IExtensionId<out T> : IExtensionId
    where T : IExtension
{
    new T Apply(ActorSystem system);

    new T Get(ActorSystem system);

    new T CreateExtension(ExtendedActorSystem system);
}

/// <summary>The base of extension identifiers. Two of the same class are the same.</summary>
public abstract class ExtensionIdProvider<T> : IExtensionId<T>
    where T : IExtension
{
    public Type ExtensionType => typeof(T);

    public T Apply(ActorSystem system) => (T)system.RegisterExtension(this);

    public T Get(ActorSystem system) => (T)system.GetExtension(this);

    /// <summary>Called once for a system, by whoever asks first; others wait for it.</summary>
    public abstract T CreateExtension(ExtendedActorSystem system);

    object IExtensionId.Apply(ActorSystem system) => Apply(system);

    object IExtensionId.Get(ActorSystem system) => Get(system);

    object IExtensionId.CreateExtension(ExtendedActorSystem system) => CreateExtension(system);

    public override bool Equals(object? obj) => obj is ExtensionIdProvider<T>;

    public override int GetHashCode() => typeof(T).GetHashCode();
}

public static class ActorSystemWithExtensions
{
    /// <summary>The extension when it is there; null otherwise.</summary>
    public static T WithExtension<T>(this ActorSystem system)
        where T : class, IExtension => system.GetExtension<T>();

    public static T WithExtension<T>(this ActorSystem system, Type extensionId)
        where T : class, IExtension => system.TryGetExtension(out T present) ? present : (T)system.RegisterExtension((IExtensionId)Activator.CreateInstance(extensionId)!);

    public static T WithExtension<T, TI>(this ActorSystem system)
        where T : class, IExtension
        where TI : IExtensionId => system.WithExtension<T>(typeof(TI));
}
