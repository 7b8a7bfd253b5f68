using System.Globalization;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers;
using AgentMesh.Workers.Attempts;
using Simulation.Engine;
using Simulation.Wire;

namespace Simulation.Pipes;

/// <summary>
/// Pipes over three devices whose lines and nodes fail. In gentle worlds nothing lasts as long as an input waits for its sender, and every pipe comes to its own end; in the others anything happens, also to machines with
/// their programs, and whatever is left ends as it is documented.
/// </summary>
internal sealed class PipesWorld : ILoopWorld
{
    private const int Devices = 3;

    private static readonly TimeSpan Storm = TimeSpan.FromSeconds(60);

    /// <summary>The slowest program, an input that waits in vain, and what waits for that in turn.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(240);

    private readonly SimWire _wire;
    private readonly bool _isGentle;
    private readonly PipeHome _home;
    private IReadOnlyList<PipeDevice> _devices = [];
    private int _pipes;

    public PipesWorld(int seed, Action<string>? told)
    {
        Loop = new SimLoop(seed) { Told = told };
        _wire = new SimWire(Loop) { Slow = Loop.Chance(0.5) ? Loop.Random.NextDouble() * 0.1 : 0 };
        _isGentle = Loop.Chance(0.5);
        _home = new PipeHome(Loop, () => _devices[0], (one, other) => _wire.IsOpen(one.Id, other.Id));
    }

    public SimLoop Loop { get; }

    public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    private int FoundAgain => _devices.Sum(device => device.FoundAgain);

    private bool IsStorm => Loop.Now < Storm;

    public void Run()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("agentmesh-trial-13-");
        try
        {
            long spool = Loop.Random.Next(16, 512) * 1024L;
            _devices = [.. Enumerable.Range(0, Devices).Select(number => new PipeDevice(
                Loop, _wire, number, directory.FullName, spool, job => _home[job], (job, attempt, from, _) => Task.FromResult(_home.Route(_devices[number].Id, job, attempt, from))))];
            foreach (PipeDevice device in _devices)
            {
                device.Know(_devices);
            }

            Loop.After(TimeSpan.Zero, null, Begin);
            Loop.After(Storm, null, EndStorm);
            Loop.RunOnPool(Storm + Calm);
            Check();
        }
        finally
        {
            foreach (PipeDevice device in _devices)
            {
                device.KillMachine();
            }

            directory.Delete(recursive: true);
        }
    }

    private void Begin()
    {
        foreach (PipeDevice device in _devices)
        {
            device.Start();
        }

        _home.LookAgainAndAgain();
        for (int pipe = Loop.Random.Next(3, 8); pipe > 0; pipe--)
        {
            Loop.After(Loop.Between(0.1, 45), null, AddPipe);
        }

        DisturbAgainAndAgain();
    }

    private void AddPipe()
    {
        string name = $"pipe{(++_pipes).ToString(CultureInfo.InvariantCulture)}";
        long bytes = Loop.Random.NextInt64(1, Loop.Chance(0.25) ? 3_000_000 : 300_000);
        bool isEndless = Loop.Chance(0.15);
        PipeStage[] stages = [.. Enumerable.Range(0, Loop.Random.Next(2, 5)).Select(index => new PipeStage(
            Loop,
            new AttemptKey(JobId.FromIdempotencyKey(_devices[0].Id, $"{name}.{index.ToString(CultureInfo.InvariantCulture)}"), 1),
            _devices[Loop.Random.Next(Devices)],
            isEndless && index < 2 ? ProgramPlan.OfEndless(Loop, index, bytes) : ProgramPlan.By(Loop, index, bytes),
            (ulong)Loop.Random.NextInt64()))];
        for (int index = 1; index < stages.Length; index++)
        {
            (stages[index].Before, stages[index - 1].After) = (stages[index - 1], stages[index]);
        }

        var pipe = new SimPipe(stages) { IsWatched = Loop.Chance(0.6) };
        Loop.Note($"{name}: {pipe}");
        _home.Add(pipe);
        if (!_isGentle && Loop.Chance(0.1))
        {
            Loop.After(Loop.Between(0.1, 20), null, pipe.Cancel);
        }
    }

    /// <summary>In a gentle world one thing after the other, each over, and noticed by all, before an input has waited too long.</summary>
    private void DisturbAgainAndAgain() => Loop.After(_isGentle ? Loop.Between(0.5, 8) : Loop.Between(0.2, 5), null, () =>
    {
        if (IsStorm)
        {
            TimeSpan lasts = Loop.Between(0.1, !_isGentle && Loop.Chance(0.3) ? 50 : 6);
            Disturb(lasts);
            if (_isGentle)
            {
                Loop.After(lasts + TimeSpan.FromSeconds(10), null, DisturbAgainAndAgain);
            }
            else
            {
                DisturbAgainAndAgain();
            }
        }
    });

    private void Disturb(TimeSpan lasts)
    {
        PipeDevice one = _devices[Loop.Random.Next(Devices)], other = _devices[(one.Number + Loop.Random.Next(1, Devices)) % Devices];
        switch (Loop.Random.Next(_isGentle ? 6 : 7))
        {
            case 0:
                Fault("line cut", one, other);
                Cut(one, other, lasts);
                Cut(other, one, lasts);
                break;
            case 1:
                Fault("line cut in one direction", one, other);
                Cut(one, other, lasts);
                break;
            case 2:
                Fault("connection lost", one, other);
                _wire.Reset(one.Id, other.Id);
                break;
            case 3 when one.IsUp:
                Fault("node killed", one);
                Gone(one);
                one.Kill();
                Loop.After(lasts, null, () => StartAgain(one));
                break;
            case 4 when one.Table is not null && one.IsRunning:
                Fault("node stopped in order", one);
                Gone(one);
                _ = one.LeaveAsync(() => Loop.After(lasts, null, () => StartAgain(one)));
                break;
            case 5 when one.IsRunning:
                Fault("node held up", one);
                one.Stop();
                Loop.After(lasts, null, one.Continue);
                break;
            case 6:
                Fault("machine lost", one);
                Gone(one);
                one.KillMachine();
                Loop.After(lasts, null, () => StartAgain(one));
                break;
        }
    }

    private void Fault(string what, params PipeDevice[] where)
    {
        Loop.Note($"{what}: {string.Join(' ', where.Select(device => device.Number))}");
        Counts[what] = Counts.GetValueOrDefault(what) + 1;
    }

    private void Gone(PipeDevice device)
    {
        if (device == _devices[0])
        {
            _home.ForgetWatches();
        }
    }

    private void Cut(PipeDevice from, PipeDevice to, TimeSpan lasts)
    {
        _wire.Cut(from.Id, to.Id);
        Loop.After(lasts, null, () => _wire.Heal(from.Id, to.Id));
    }

    private static void StartAgain(PipeDevice device)
    {
        if (!device.IsUp)
        {
            device.Start();
        }
    }

    private void EndStorm()
    {
        Loop.Note("the storm is over");
        _wire.HealAll();
        _wire.Slow = 0;
        foreach (PipeDevice device in _devices)
        {
            device.Continue();
            StartAgain(device);
        }
    }

    private void Check()
    {
        Count("streams that the home passed on", _home.PassedOn);
        Count("programs that a node found again", FoundAgain);
        foreach (SimPipe pipe in _home.Pipes)
        {
            Assert.True(pipe.IsAtRest, $"{pipe} is not at rest: {string.Join(", ", pipe.Stages.Where(stage => stage.Recorded is null))}");
            foreach (PipeStage stage in pipe.Stages)
            {
                Check(pipe, stage);
            }

            Count(pipe.Stages.All(stage => stage.IsRecordedAsItsOwn) ? "pipes that came to their end" : "pipes that broke", 1);
        }

        foreach (PipeDevice device in _devices)
        {
            Assert.True(device.Table is { All.Count: 0 } && device.Kept == 0, $"device {device.Number} has {device.Table?.All.Count} attempts in its table and {device.Kept} on its disk at the end");
        }
    }

    private void Check(SimPipe pipe, PipeStage stage)
    {
        // What a reader has not read to its end was left by the reader, or its pipe broke.
        bool isOwn = stage.IsRecordedAsItsOwn;
        Assert.True(isOwn || !_isGentle || pipe.Stages.Any(each => !each.HasBegun), $"{stage} of {pipe} was recorded as {stage.Recorded!.Outcome} {stage.Recorded.Problem?.Code}, and nothing lasted long enough for that");

        Assert.True(isOwn || pipe.IsCancelled || stage.IsKilled || !stage.HasBegun || stage.Recorded!.Problem?.Code == WorkerErrors.InputLost, $"{stage} of {pipe} was recorded as {stage.Recorded!.Outcome} {stage.Recorded.Problem?.Code}, for no reason");
        Assert.True(
            !isOwn || stage.ExitCode == PipeStage.BrokenPipe || stage.Before is null || stage.Read == stage.Before.Written || stage.Plan.TakesOnly == stage.Read || stage.ExitCode == 1,
            $"{stage} of {pipe} came to its end with {stage.Read} bytes of {stage.Before?.Written}");
        Count("programs whose input broke off", stage.Recorded!.Problem?.Code == WorkerErrors.InputLost ? 1 : 0);
        Count("programs whose reader had gone", stage.ExitCode == PipeStage.BrokenPipe ? 1 : 0);
        Count("KB read", (int)(stage.Read / 1000));
    }

    private void Count(string what, int count) => Counts[what] = Counts.GetValueOrDefault(what) + count;
}
