using System.Reflection;
using System.Runtime.Loader;
using AgentMesh.Errors;
using AgentMesh.Workers.Handlers;

namespace AgentMesh.Workers.Plugins;

/// <summary>
/// The handlers of an assembly that the configuration names. Only the user's own configuration leads here: nothing from the network chooses an
/// assembly or a type.
/// </summary>
public static class HandlerAssembly
{
    /// <exception cref="MeshException">AM0608: it cannot be loaded, or has no handler.</exception>
    public static IReadOnlyList<ICommandHandler> Load(string path)
    {
        string full = Path.GetFullPath(path);
        if (!File.Exists(full))
        {
            throw Failed(full, "there is no such file", null);
        }

        try
        {
            Assembly assembly = new PluginContext(full).LoadFromAssemblyPath(full);
            ICommandHandler[] found = [.. assembly.GetExportedTypes()
                .Where(type => type is { IsAbstract: false, IsClass: true } && typeof(ICommandHandler).IsAssignableFrom(type) && type.GetConstructor(Type.EmptyTypes) is not null)
                .Select(type => (ICommandHandler)Activator.CreateInstance(type)!)];
            return found.Length > 0 ? found : throw Failed(full, "it has no public class that implements ICommandHandler and has a constructor without parameters", null);
        }
        catch (Exception error) when (error is IOException or BadImageFormatException or ReflectionTypeLoadException or TargetInvocationException)
        {
            throw Failed(full, error.GetBaseException().Message, error);
        }
    }

    private static MeshException Failed(string path, string why, Exception? error) =>
        new(WorkerErrors.PluginFailed, $"the plug-in {path} cannot be used: {why}", "correct agentmesh.plugins.assemblies", error);

    /// <summary>The plug-in's own dependencies lie beside it; what the node has already is shared, so that its interface is the same type.</summary>
    private sealed class PluginContext(string path) : AssemblyLoadContext(Path.GetFileName(path))
    {
        private readonly AssemblyDependencyResolver _resolver = new(path);

        protected override Assembly? Load(AssemblyName name) =>
            Default.Assemblies.Any(loaded => loaded.GetName().Name == name.Name) || _resolver.ResolveAssemblyToPath(name) is not { } found
                ? null
                : LoadFromAssemblyPath(found);
    }
}
