using System.Diagnostics;
using System.Text;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Cgroups;
using AgentMesh.Workers.Fences;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Input;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Shims;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Tests.Shims;

/// <summary>One data directory and the nodes that have it one after the other; a node that is left is as one that was killed: it closes its files and tells nobody.</summary>
internal sealed class ShimLab : IAsyncDisposable
{
    private static readonly DeviceId Device = DeviceId.Parse(new string('c', DeviceId.TextLength));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _root = Directory.CreateTempSubdirectory("am-shim-").FullName;
    private readonly Dictionary<string, long> _read = [];

    // What is left of an attempt is found by its job, anywhere: no two labs may have the same one, or they end each other's programs.
    private static readonly AsyncLocal<string?> s_name = new();

    public ShimLab(string below = "")
    {
        Root = Directory.CreateDirectory(Path.Combine(_root, below)).FullName;
        s_name.Value = Guid.NewGuid().ToString("N");
    }

    /// <summary>What the launcher has built, or the same code on the runtime.</summary>
    public static ShimCommand Command { get; } = ShimCommand.Find(
        Environment.GetEnvironmentVariable("AGENTMESH_PROGRAM") is { Length: > 0 } built ? Path.GetDirectoryName(built)! : AppContext.BaseDirectory)!;

    public string Root { get; }

    public string Spool => Path.Combine(Root, "spool");

    public ShimCommand StartedWith { get; init; } = Command;

    public TimeSpan? Lease { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan InputGrace { get; init; } = TimeSpan.FromMinutes(5);

    public long SpoolBytesMax { get; init; } = 1 << 30;

    public AdmissionSettings Admission { get; init; } = new(MachineResources.Found(), 8, 8);

    public CgroupTree? Cgroups { get; init; }

    public ProgramFence? Fence { get; init; }

    /// <summary>Programs can be locked in; its directory is not for them.</summary>
    public bool IsFenced { init => Fence = value ? new ProgramFence(new NodePlaces([Root], [])) : null; }

    public IArtifactCarrier? Carrier { get; init; }

    public ExecutionTable Node { get; private set; } = null!;

    public static AttemptKey Key(int attempt = 1) =>
        new(JobId.FromIdempotencyKey(Device, s_name.Value ?? throw new InvalidOperationException("an attempt belongs to a lab")), attempt);

    public static AttemptOrder Program(params string[] words) => new(Key(), "", words, new Caller(Device, "laptop", "user"), null, "sum");

    public static AttemptOrder Script(string text) => Program("sh", "-c", text);

    /// <summary>A node starts and takes over what is there.</summary>
    public TakenOver Up()
    {
        HandlerRegistry handlers = BuiltIns.CreateRegistry(new DeviceFacts("test", Root, TimeProvider.System));
        var tools = new ExecutionTools(
            "test", handlers, ProcessLauncher.ForThisPlatform(), new ProcessLedger(Path.Combine(Root, "running")), Root, TimeSpan.FromSeconds(1), TimeProvider.System, new ShimSettings(StartedWith, Lease, KeepOnStop: true)) { Artifacts = Carrier, Input = new InputSettings(InputGrace), Cgroups = Cgroups, Fence = Fence };
        Node = new ExecutionTable(tools, Spool, SpoolBytesMax, Admission);
        return Node.TakeOver();
    }

    /// <summary>A node starts an attempt; returns when its program runs.</summary>
    public async Task<Execution> Start(AttemptOrder order)
    {
        Up();
        Execution run = Node.StartOrGet(order);

        // A short one may be over before it is looked at.
        await Until(() => run.Ended.IsCompleted || Record(run) is { Program.IsAlive: true }, "the program runs");
        return run;
    }

    public ValueTask Leave() => Node.DisposeAsync();

    public async Task<Execution> LeaveAndTakeOver()
    {
        await Leave();
        TakenOver found = Up();
        Assert.Equal(0, found.Dropped);
        return Assert.Single(Node.All);
    }

    public static async Task<AttemptResult> End(Execution run) => await run.Ended.WaitAsync(Patience);

    public static ShimRecord? Record(Execution run) => ShimRecord.TryRead(Path.Combine(run.Spool!.Directory, ShimFiles.Record));

    public string File(string name) => Path.Combine(Root, name);

    public async Task<int> ProcessIn(string name)
    {
        await Until(() => System.IO.File.Exists(File(name)) && System.IO.File.ReadAllText(File(name)).EndsWith('\n'), name + " is written");
        return int.Parse(System.IO.File.ReadAllText(File(name)).Trim(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Takes output as a home does: in order, each byte once, acknowledged.</summary>
    public async Task<string> Take(Execution run, SpoolStream stream = SpoolStream.Stdout)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            long offset = _read.GetValueOrDefault(stream.ToString());
            int read = await run.Spool!.ReadAsync(stream, offset, buffer, CancellationToken.None);
            if (read == 0)
            {
                return text.ToString();
            }

            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            _read[stream.ToString()] = offset + read;
            run.Spool.Acknowledge(stream, offset + read);
        }
    }

    public static bool IsAlive(int process) => ProcessIdentity.Of(process) is { IsAlive: true };

    public static async Task Until(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Patience, $"within {Patience.TotalSeconds} s it did not happen: {what}");
            await Task.Delay(10);
        }
    }

    /// <summary>A supervisor writes the end of its program down after it has told it.</summary>
    private bool TryDelete()
    {
        try
        {
            Directory.Delete(_root, recursive: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Node.EndsAll = true;
        await Node.DisposeAsync();
        await Until(TryDelete, "the directory can be removed");
        if (Cgroups is { } tree)
        {
            tree.Sweep(new HashSet<string>());
            await Until(
                () =>
                {
                    new JobCgroup(tree.Directory).Remove();
                    return !Directory.Exists(tree.Directory);
                },
                "nothing is left in the cgroup");
        }
    }
}
