using System.Reflection;
using Akka.Configuration.Hocon;

namespace Akka.Configuration;

/// <summary>Makes configurations from texts, resources and objects.</summary>
public class ConfigurationFactory
{
    private const int IncludeDepthMax = 20;

    [ThreadStatic]
    private static int _includeDepth;

    public static Config Empty => Config.Empty;

    /// <summary>Includes are read from files; a relative name counts from the current directory.</summary>
    /// <exception cref="ConfigurationException">The text is not HOCON; names line and column.</exception>
    public static Config ParseString(string hocon) => new(HoconReader.Read(hocon, IncludeFile));

    /// <param name="includeCallback">Gives what a name after <c>include</c> stands for.</param>
    public static Config ParseString(string hocon, Func<string, HoconRoot> includeCallback) => new(HoconReader.Read(hocon, includeCallback));

    /// <summary>The configuration of a program that has no other: <c>akka.conf</c> or <c>app.conf</c> in the current directory, else nothing.</summary>
    public static Config Load()
    {
        foreach (string file in (string[])["akka.conf", "akka.hocon", "app.conf", "app.hocon"])
        {
            if (File.Exists(file))
            {
                return ParseString(File.ReadAllText(file));
            }
        }

        return Empty;
    }

    /// <summary>The engine's own defaults.</summary>
    public static Config Default() => AgentMesh.Engine.EngineDefaults.All();

    public static Config FromResource(string resourceName, object instanceInAssembly) => FromResource(resourceName, (instanceInAssembly as Type ?? instanceInAssembly.GetType()).Assembly);

    public static Config FromResource<TAssembly>(string resourceName) => FromResource(resourceName, typeof(TAssembly).Assembly);

    /// <exception cref="ConfigurationException">The assembly has no such resource.</exception>
    public static Config FromResource(string resourceName, Assembly assembly)
    {
        using Stream stream = assembly.GetManifestResourceStream(resourceName)
            ?? throw new ConfigurationException($"the assembly {assembly.GetName().Name} has no resource {resourceName}");
        using var reader = new StreamReader(stream);
        return ParseString(reader.ReadToEnd());
    }

    /// <summary>The public properties of an object, nested ones as objects, as in an anonymous type.</summary>
    public static Config FromObject(object source) => new(new HoconRoot(ObjectReader.Read(source)));

    private static HoconRoot? IncludeFile(string name)
    {
        if (!File.Exists(name))
        {
            return null;
        }

        if (_includeDepth >= IncludeDepthMax)
        {
            throw new ConfigurationException($"{name}: more than {IncludeDepthMax} files include each other");
        }

        _includeDepth++;
        try
        {
            return HoconReader.Read(File.ReadAllText(name), IncludeFile);
        }
        finally
        {
            _includeDepth--;
        }
    }
}
