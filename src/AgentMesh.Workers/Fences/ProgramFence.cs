using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;
using AgentMesh.Shim.Confine;
using AgentMesh.Workers.Processes;

namespace AgentMesh.Workers.Fences;

/// <summary>What programs that are locked in may reach on this device, and what they never may. Thread-safe.</summary>
public sealed class ProgramFence
{
    private readonly NodePlaces _places;
    private readonly Func<KernelSupport> _kernel;
    private readonly IEnumerable<Place> _system;

    /// <param name="system">What all may reach.</param>
    internal ProgramFence(NodePlaces places, Func<KernelSupport> kernel, IEnumerable<Place> system)
    {
        _places = places with { Secret = [.. places.Secret.Select(Real)], Trusted = [.. places.Trusted.Select(Real)] };
        _kernel = kernel;
        _system = system;
    }

    public ProgramFence(NodePlaces places)
        : this(places, KernelSupport.Ask, SystemPlaces.All)
    {
    }

    /// <summary>The ABI of Landlock in this kernel, 0 for none, and whether signals to processes outside are refused.</summary>
    public (int Abi, bool KeepsSignals) Kernel => (_kernel().Abi, _kernel().Abi >= KernelSupport.AbiWithSignals);

    /// <summary>Null where programs can be locked in.</summary>
    public string? WhyNot => _kernel().WhyNot;

    /// <inheritdoc cref="NodePlaces.SecretVariables"/>
    public IReadOnlyList<string> SecretVariables => _places.SecretVariables;

    /// <exception cref="MeshException">AM0177: the kernel cannot lock programs in.</exception>
    public void CheckKernel(string deviceName)
    {
        if (WhyNot is { } why)
        {
            throw NotConfined(deviceName, why);
        }
    }

    /// <exception cref="MeshException">AM0178: the grant reaches what the node itself needs.</exception>
    public void Check(Confinement confinement)
    {
        _ = Granted(confinement.Writable, PlaceKind.Write, confinement.Changeable);
        _ = Granted(confinement.Readable, PlaceKind.Execute, confinement.Changeable);
    }

    /// <param name="program">With its path.</param>
    /// <param name="work">Its own directory.</param>
    /// <param name="reports">Where it tells of itself.</param>
    /// <exception cref="MeshException">AM0178.</exception>
    internal IReadOnlyList<Place> For(Confinement confinement, string program, string work, string reports)
    {
        var places = new List<Place>();
        foreach (Place place in _system)
        {
            if (Follow(place.Path, confinement.Changeable) is { } real)
            {
                places.AddRange(Around(real, _places.Secret).Select(path => place with { Path = path }));
            }
        }

        if (Follow(program, confinement.Changeable) is { } file)
        {
            places.Add(new Place(PlaceKind.Execute, file));
        }

        places.AddRange(Granted(confinement.Readable, PlaceKind.Execute, confinement.Changeable));
        places.AddRange(Granted(confinement.Writable, PlaceKind.Write, confinement.Changeable));
        places.Add(new Place(PlaceKind.Write, Real(work)));
        places.Add(new Place(PlaceKind.Reports, Real(reports)));
        return [.. places.Distinct().Where(place => !place.Path.Contains('\0', StringComparison.Ordinal))];
    }

    internal static MeshException NotConfined(string deviceName, string why) => new(
        WorkerErrors.NotConfined,
        $"{deviceName} cannot lock the program in, and does not start it otherwise: {why}",
        $"on {deviceName}: grant 'run', which allows everything, or set agentmesh.grants.confine = off, which lets the programs of single grants do everything too");

    private List<Place> Granted(IEnumerable<string> paths, PlaceKind kind, IReadOnlyList<string> changeable)
    {
        var places = new List<Place>();
        foreach (string path in paths)
        {
            // Behind a link that a program may have made: it would choose itself what it gets.
            if (Follow(path, changeable) is { } real)
            {
                CheckOne(path, real, kind);
                places.Add(new Place(kind, real));
            }
        }

        return places;
    }

    private void CheckOne(string granted, string real, PlaceKind kind)
    {
        bool writes = kind == PlaceKind.Write;
        IEnumerable<string> own = writes ? _places.Secret.Concat(_places.Trusted) : _places.Secret;
        if (own.FirstOrDefault(each => Confinement.IsBelow(each, real) || Confinement.IsBelow(real, each)) is { } touched)
        {
            string grant = (writes ? Grant.DirectoryKind : Grant.ReadKind) + granted;
            throw new MeshException(
                WorkerErrors.GrantReachesNode,
                $"'{grant}' reaches {touched}, which belongs to the node itself: whoever {(writes ? "writes" : "reads")} there can do everything",
                "grant a directory beside it, or keep what is to be reached elsewhere; 'grant NAME GRANT --revoke' takes one back");
        }
    }

    /// <returns>Null where the path leads over a link in a directory that programs may write to, or cannot be followed.</returns>
    private static string? Follow(string path, IReadOnlyList<string> changeable)
    {
        string[] areas = [.. changeable.Concat(changeable.Select(Real))];
        try
        {
            return LinkPath.Resolve(path, directory => !areas.Any(area => Confinement.IsBelow(directory, area)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Real(string path)
    {
        try
        {
            return LinkPath.Resolve(Path.GetFullPath(path)) ?? path;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return path;
        }
    }

    /// <summary>A directory, or what is in it beside the secrets: rules of the kernel allow all that is below.</summary>
    private static IEnumerable<string> Around(string path, IReadOnlyList<string> secret)
    {
        if (secret.Any(each => Confinement.IsBelow(path, each)))
        {
            return [];
        }

        if (!secret.Any(each => Confinement.IsBelow(each, path)))
        {
            return [path];
        }

        try
        {
            return new DirectoryInfo(path).GetFileSystemInfos().Where(entry => entry.LinkTarget is null).SelectMany(entry => Around(entry.FullName, secret));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
