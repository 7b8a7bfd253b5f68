using AgentMesh.Mesh;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Input;
using AgentMesh.Node.Links;
using AgentMesh.Node.Output;
using AgentMesh.Node.Pipes;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Input;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Shims;
using Simulation.Engine;
using Simulation.Wire;

namespace Simulation.Pipes;

/// <summary>
/// A device that runs stages of pipes: connections, the table of attempts with what follows their shims, input, feeder and shipper are the product's, put together as the node does it. The shims with their
/// programs are the simulator's, and so is the network.
/// </summary>
internal sealed class PipeDevice
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly SimLoop _loop;
    private readonly SimWire _wire;
    private readonly SimIdentity _identity;
    private readonly string _directory;
    private readonly long _spoolBytesMax;
    private readonly Func<JobId, PipeStage> _stageOf;
    private readonly InputRoute _route;
    private IReadOnlyList<PipeDevice> _all = [];
    private SimProcess? _process;
    private SimProcess _machine;
    private SimShims _shims;
    private ConnectionHub? _hub;
    private PipeShipper? _shipper;
    private int _boots;

    /// <param name="route">Of its jobs, where it is their home.</param>
    public PipeDevice(SimLoop loop, SimWire wire, int number, string directory, long spoolBytesMax, Func<JobId, PipeStage> stageOf, InputRoute route)
    {
        _loop = loop;
        _wire = wire;
        Number = number;
        _identity = SimIdentity.Of(number);
        _directory = Directory.CreateDirectory(Path.Combine(directory, $"device-{number}")).FullName;
        _spoolBytesMax = spoolBytesMax;
        _stageOf = stageOf;
        _route = route;
        (_machine, _shims) = Boot();
    }

    /// <summary>How long an input waits for who sends it: the default.</summary>
    public static TimeSpan InputGrace => InputSettings.Default.Grace;

    public int Number { get; }

    public DeviceId Id => _identity.Id;

    /// <summary>Null while the node does not run.</summary>
    public ExecutionTable? Table { get; private set; }

    public bool IsUp => _process is not null;

    public bool IsRunning => _process is { IsStopped: false };

    /// <summary>Programs that ran when a node started.</summary>
    public int FoundAgain { get; private set; }

    /// <summary>What is left of attempts.</summary>
    public int Kept => Directory.Exists(SpoolDirectory) ? Directory.GetDirectories(SpoolDirectory).Length : 0;

    private string SpoolDirectory => Path.Combine(_directory, "spool");

    public void Know(IReadOnlyList<PipeDevice> all) => _all = all;

    public void Start()
    {
        _loop.Note($"device {Number} starts");
        var process = new SimProcess(_loop);
        _process = process;
        var clock = new SimClock(_loop, process);
        var known = new DeviceDirectory("/nonexistent/devices.json", clock) { Admitted = _all.Where(device => device != this).ToDictionary(device => device.Id, device => device._identity.Key) };
        foreach (PipeDevice other in _all.Where(device => device != this))
        {
            known.Told(other.Id, [other._identity.Address]);
        }

        var hub = new ConnectionHub(new SimEndpoint(_wire, _identity, process), known, clock);
        var tools = new ExecutionTools(
            $"device-{Number}",
            BuiltIns.CreateRegistry(new DeviceFacts($"device-{Number}", _directory, clock)),
            ProcessLauncher.ForThisPlatform(),
            new ProcessLedger(Path.Combine(_directory, "running")),
            _directory,
            Grace,
            clock,
            new ShimSettings(new ShimCommand("simulated", [], IsNative: true), Lease: null, KeepOnStop: true)) { ShimProcesses = _shims };
        var table = new ExecutionTable(tools, SpoolDirectory, _spoolBytesMax, new AdmissionSettings(ResourceAmounts.None, 1_000, 1_000));
        FoundAgain += table.TakeOver().Running;
        var pace = new BulkPace(null, clock);
        var inputs = new InputIntake(
            table,
            async (job, attempt, from, cancel) =>
            {
                await Task.Delay(_loop.Between(0.001, 0.01), clock, cancel);
                return await _route(job, attempt, from, cancel);
            },
            (other, cancel) => hub.OpenAsync(other, InputIntake.Service, StreamPriority.Bulk, cancel));
        _shipper = new PipeShipper(table, new InputFeeder(Id, hub, inputs, clock), pace);
        hub.Register(InputIntake.Service, (connection, stream, cancel) => inputs.ServeAsync(connection.RemoteId, stream, cancel));
        hub.Start();
        (Table, _hub) = (table, hub);
    }

    /// <summary>As kill -9; programs go on.</summary>
    public void Kill()
    {
        _process?.Kill();
        Release(Table);
        (_process, Table, _hub, _shipper) = (null, null, null, null);
    }

    /// <summary>As a node that is told to stop; programs go on. Calls back when it has.</summary>
    public async Task LeaveAsync(Action gone)
    {
        SimProcess? process = _process;
        if (process is null)
        {
            return;
        }

        (ExecutionTable table, ConnectionHub hub, PipeShipper shipper) = (Table!, _hub!, _shipper!);
        Table = null;
        await shipper.DisposeAsync();
        await table.DisposeAsync();
        await hub.DisposeAsync();
        if (process == _process)
        {
            Kill();
            gone();
        }
    }

    /// <summary>As a loss of power.</summary>
    public void KillMachine()
    {
        Kill();
        _shims.KillAll();
        _machine.Kill();
        (_machine, _shims) = Boot();
    }

    public void Stop() => _process?.Stop();

    public void Continue() => _process?.Continue();

    private (SimProcess Machine, SimShims Shims) Boot()
    {
        var machine = new SimProcess(_loop);
        return (machine, new SimShims(_loop, machine, ++_boots, () => _process!, _stageOf));
    }

    /// <summary>The files of a process that is gone are closed.</summary>
    private static void Release(ExecutionTable? table)
    {
        foreach (Execution execution in table?.All ?? [])
        {
            execution.Spool?.Dispose();
        }
    }
}
