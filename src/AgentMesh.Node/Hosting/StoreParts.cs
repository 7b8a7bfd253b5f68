using AgentMesh.Journal;
using AgentMesh.Journal.Audit;
using AgentMesh.Mesh;
using AgentMesh.Node.Artifacts;
using AgentMesh.Node.Pools;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Hosting;

/// <summary>Where this device keeps things: its journal, output, artifacts and audit log, and the database of its pool.</summary>
internal sealed class StoreParts
{
    public StoreParts(DeviceParts device, Endings endings)
    {
        (NodeSettings settings, TimeProvider time) = (device.Settings, device.Time);
        JournalSettings = new EventStoreSettings { Path = device.Data["journal.db"] };
        Journal = endings.Add(EventStoreRegistry.Acquire(JournalSettings, time)).Store;
        Pool = PoolOf(device, endings);
        OutputStore files = endings.Add(OutputStore.Open(new OutputStoreSettings { Directory = device.Data["output"], BytesMax = settings.Output.RetainedBytesMax, JobBytesMax = settings.Output.JobBytesMax }, time));
        Outputs = Pool is null ? files : new RoutedOutput(files, endings.AddAsync(Pool.Pool.OpenOutput(settings.Output.JobBytesMax, settings.Pool!.OutputRetained)));
        Audit = endings.Add(AuditLog.Open(new AuditLogSettings(device.Data["audit"], settings.AuditRetainedBytesMax), time));
        Artifacts = ArtifactsOf(device, endings);
    }

    public EventStoreSettings JournalSettings { get; }

    public SqliteEventStore Journal { get; }

    /// <summary>Null where this device is a member of no pool.</summary>
    public PoolHost? Pool { get; }

    public IOutputStore Outputs { get; }

    public AuditLog Audit { get; }

    public ArtifactStores Artifacts { get; }

    private static PoolHost? PoolOf(DeviceParts device, Endings endings)
    {
        if (device.Settings.Pool is not { } wanted)
        {
            return null;
        }

        var postgres = new PostgresSettings
        {
            Pool = HomeId.Pool(wanted.Name).ToString(),
            ConnectionString = PoolConnection.Read(wanted, Environment.GetEnvironmentVariable),
            Device = device.Id.ToString(),
            DeviceName = device.Settings.DeviceName,
            Lease = wanted.Lease,
            AppendTimeout = wanted.AppendTimeout,
            Readers = wanted.Readers,
        };
        return new PoolHost(endings.AddAsync(PostgresPool.Open(postgres, device.Time)), postgres, wanted.Name, device.Time);
    }

    private ArtifactStores ArtifactsOf(DeviceParts device, Endings endings)
    {
        ArtifactSettings wanted = device.Settings.Artifacts;
        var own = new ArtifactStoreSettings(device.Data["artifacts"], wanted.RetainedBytesMax, wanted.SizeMax, wanted.RetainedFor, wanted.SafeFor);
        return new ArtifactStores(
            device.Id,
            ArtifactStore.Open(own, device.Time),
            Pool?.Home,
            Pool is null ? null : endings.AddAsync(Pool.Pool.OpenArtifacts(own with { BytesMax = device.Settings.Pool!.ArtifactBytesMax, SizeMax = device.Settings.Pool.ArtifactSizeMax }, device.Time)));
    }
}
