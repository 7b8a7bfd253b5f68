using System.Reflection;
using Akka.Configuration;

namespace AgentMesh.Engine;

/// <summary>The defaults of every part of the engine: the <c>.conf</c> files that lie beside their code and are embedded in the assembly.</summary>
internal static class EngineDefaults
{
    private static readonly Lazy<Config> Merged = new(Read);

    public static Config All() => Merged.Value;

    private static Config Read()
    {
        Assembly assembly = typeof(EngineDefaults).Assembly;
        string text = string.Join('\n', assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".conf", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => ReadText(assembly, name)));
        return ConfigurationFactory.ParseString(text);
    }

    private static string ReadText(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
