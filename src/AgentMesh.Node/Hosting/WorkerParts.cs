using AgentMesh.Errors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Cgroups;
using AgentMesh.Workers.Fences;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Input;
using AgentMesh.Workers.Plugins;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Shims;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Hosting;

/// <summary>What runs the attempts that come to this device, made of its settings: it takes over what an earlier process of the node has left running.</summary>
internal sealed class WorkerParts : IAsyncDisposable
{
    /// <summary>For a program that is asked to end.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private WorkerParts(string workingDirectory, HandlerRegistry handlers, ExecutionTable table, ProgramFence fence, CgroupTree? cgroups, string? whyNoCgroups)
    {
        WorkingDirectory = workingDirectory;
        Handlers = handlers;
        Table = table;
        Fence = fence;
        Cgroups = cgroups;
        WhyNoCgroups = whyNoCgroups;
    }

    /// <summary>Where programs begin that are not told where.</summary>
    public string WorkingDirectory { get; }

    public HandlerRegistry Handlers { get; }

    public ExecutionTable Table { get; }

    /// <summary>For programs that other devices start by single grants.</summary>
    public ProgramFence Fence { get; }

    /// <summary>Those of programs; null where they have none.</summary>
    public CgroupTree? Cgroups { get; }

    /// <summary>Null where programs have cgroups.</summary>
    public string? WhyNoCgroups { get; }

    public DeviceLoad Load
    {
        get
        {
            AdmissionState now = Table.Admission;
            return new DeviceLoad(now.Running, now.Waiting, now.Capacity, now.Free);
        }
    }

    /// <exception cref="MeshException">AM0626: the settings demand cgroups, and there are none.</exception>
    public static WorkerParts Open(DeviceParts device, IArtifactCarrier carrier)
    {
        (NodeSettings settings, DataDirectory data, TimeProvider time, ILogger log) = (device.Settings, device.Data, device.Time, device.Log);
        HandlerRegistry handlers = HandlersOf(settings, data.Root, time);
        var ledger = new ProcessLedger(data["running"]);
        int swept = ledger.Sweep();
        string work = data["work"];
        PrivateDirectory.Create(work);
        ShimSettings? shims = ShimCommand.Find(AppContext.BaseDirectory) is { } command ? new ShimSettings(command, settings.Programs.Lease, settings.Programs.KeepOnStop) : null;
        if (shims is null && OperatingSystem.IsLinux())
        {
            Log.NoShim(log, AppContext.BaseDirectory);
        }

        string whyNot = "programs have no supervisor here";
        CgroupTree? cgroups = shims is null ? null : CgroupsOf(settings.Programs, device.Id, time, log, out whyNot);
        var fence = new ProgramFence(PlacesOf(settings, data.Root));
        var tools = new ExecutionTools(settings.DeviceName, handlers, ProcessLauncher.ForThisPlatform(), ledger, work, Grace, time, shims)
        {
            Artifacts = carrier,
            Input = new InputSettings(settings.Programs.InputGrace),
            Cgroups = cgroups,
            Fence = fence,
        };
        var table = new ExecutionTable(tools, data["spool"], settings.Output.SpoolBytesMax, AdmissionOf(settings, device.Id));
        TakenOver found = table.TakeOver();
        if (swept + found.Dropped > 0)
        {
            Log.Swept(log, swept + found.Dropped);
        }

        if (found.Running + found.Ended > 0)
        {
            Log.TakenOver(log, found.Running, found.Ended);
        }

        return new WorkerParts(work, handlers, table, fence, cgroups, cgroups is null ? whyNot : null);
    }

    /// <summary>The data directory has keys and journals; who writes to the others has the node start what he likes.</summary>
    private static NodePlaces PlacesOf(NodeSettings settings, string data)
    {
        string?[] secret = [data, settings.DataDirectory, settings.ConfigFile, settings.CronNotify.SecretFile, settings.Pool?.ConnectionFile, settings.Security.KeyLog, .. settings.Turn.Select(each => each.PasswordFile)];
        string?[] variables = [settings.Pool?.ConnectionVariable, .. settings.Turn.Select(each => each.PasswordVariable)];
        string[] trusted = [AppContext.BaseDirectory.TrimEnd('/'), settings.CronFile, .. settings.Plugins.Assemblies, .. settings.Plugins.Programs.Values.SelectMany(words => words)];
        return new NodePlaces([.. secret.OfType<string>().Where(Path.IsPathRooted).Distinct()], [.. trusted.Where(Path.IsPathRooted)])
        {
            SecretVariables = [.. variables.OfType<string>().Where(name => name.Length > 0)],
        };
    }

    public ValueTask DisposeAsync() => Table.DisposeAsync();

    private static HandlerRegistry HandlersOf(NodeSettings settings, string dataDirectory, TimeProvider time)
    {
        HandlerRegistry handlers = BuiltIns.CreateRegistry(new DeviceFacts(settings.DeviceName, dataDirectory, time));
        foreach (ICommandHandler handler in settings.Plugins.Assemblies.SelectMany(HandlerAssembly.Load))
        {
            handlers.Add(handler);
        }

        foreach ((string name, IReadOnlyList<string> words) in settings.Plugins.Programs)
        {
            handlers.Add(new ProgramHandler(name, words, dataDirectory));
        }

        return handlers;
    }

    private static CgroupTree? CgroupsOf(ProgramSettings settings, DeviceId self, TimeProvider time, ILogger log, out string whyNot)
    {
        if (settings.Cgroups == "off")
        {
            whyNot = "agentmesh.workers.cgroups is off";
            return null;
        }

        CgroupTree? tree = CgroupTree.TryOpen(self.ToString()[..8], settings.CgroupLimits, time.GetUtcNow(), out whyNot);
        if (tree is not null)
        {
            Log.Cgroups(log, tree.Directory, tree.Controllers.Count == 0 ? "no controllers" : string.Join(", ", tree.Controllers));
        }
        else if (settings.Cgroups == "on")
        {
            throw new MeshException(WorkerErrors.NoCgroups, $"programs cannot have cgroups here: {whyNot}", "let systemd delegate them (Delegate=yes), or set agentmesh.workers.cgroups = auto");
        }

        return tree;
    }

    private static AdmissionSettings AdmissionOf(NodeSettings settings, DeviceId self)
    {
        string own = self.ToString();
        return new AdmissionSettings(MachineResources.With(settings.Resources), settings.Jobs.RunningMax, settings.Jobs.QueuedMax)
        {
            Rules = TurnRules.Default with { OwnerMax = owner => owner == own ? null : settings.Limits.Concurrent },
        };
    }
}
