using System.Collections.Concurrent;
using System.Reflection;
using Akka.Configuration;

namespace Akka.Util.Internal;

/// <summary>
/// Finds the types that configuration names. Names written for the Akka.NET assemblies ("X, Akka.Remote") mean the same
/// types here, wherever they are loaded. Never used on bytes from the network or a journal.
/// </summary>
internal static class TypeResolver
{
    private static readonly ConcurrentDictionary<string, Type> Known = new(StringComparer.Ordinal);

    /// <returns>The type, or null when no loaded assembly has it.</returns>
    public static Type? Find(string typeName)
    {
        if (Known.TryGetValue(typeName, out Type? known))
            return known;
        Type? found = Type.GetType(typeName, throwOnError: false) ?? FindInLoaded(typeName);
        if (found is not null)
            Known.TryAdd(typeName, found);
        return found;
    }

    /// <exception cref="ConfigurationException">No such type.</exception>
    public static Type Get(string typeName, string setting) =>
        Find(typeName) ?? throw new ConfigurationException($"{setting} names the type '{typeName}', which is not in any loaded assembly");

    /// <summary>Creates an instance with the constructor that takes exactly these arguments.</summary>
    public static T Create<T>(string typeName, string setting, params object[] args)
    {
        Type type = Get(typeName, setting);
        if (!typeof(T).IsAssignableFrom(type))
            throw new ConfigurationException($"{setting} names '{typeName}', which is not a {typeof(T).Name}");
        try
        {
            return (T)Activator.CreateInstance(type, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, null, args, null)!;
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            throw new ConfigurationException($"{setting}: '{typeName}' could not be created: {e.InnerException.Message}", e.InnerException);
        }
    }

    private static Type? FindInLoaded(string typeName)
    {
        string[] parts = typeName.Split(',', 2, StringSplitOptions.TrimEntries);
        Type? type = typeof(TypeResolver).Assembly.GetType(parts[0], throwOnError: false);
        if (type is not null)
            return type;
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            bool meant = parts.Length == 1 || parts[1].StartsWith("Akka", StringComparison.Ordinal) || assembly.GetName().Name == parts[1];
            if (meant && (type = assembly.GetType(parts[0], throwOnError: false)) is not null)
                return type;
        }

        return null;
    }
}
