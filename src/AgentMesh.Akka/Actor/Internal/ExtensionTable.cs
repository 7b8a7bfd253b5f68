using System.Collections.Concurrent;

namespace Akka.Actor.Internal;

/// <summary>The extensions of a system, each made once. Whoever asks while one is being made waits; the maker itself gets an error.</summary>
internal sealed class ExtensionTable(ExtendedActorSystem system)
{
    private readonly ConcurrentDictionary<Type, Lazy<object>> _extensions = new();

    public object GetOrCreate(IExtensionId id)
    {
        Lazy<object> made = _extensions.GetOrAdd(
            id.ExtensionType,
            static (_, context) => new Lazy<object>(() => Create(context.id, context.system), LazyThreadSafetyMode.ExecutionAndPublication),
            (id, system));
        try
        {
            return made.Value;
        }
        catch
        {
            // The next one who asks may have more luck.
            _extensions.TryRemove(KeyValuePair.Create(id.ExtensionType, made));
            throw;
        }
    }

    public bool TryGet(Type type, out object extension)
    {
        extension = null!;
        if (!_extensions.TryGetValue(type, out Lazy<object>? found))
            return false;
        extension = found.Value;
        return true;
    }

    private static object Create(IExtensionId id, ExtendedActorSystem system) =>
        id.CreateExtension(system) ?? throw new InvalidOperationException($"The extension {id.ExtensionType.FullName} was made as null");
}
