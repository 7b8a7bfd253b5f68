using AgentMesh.Protocol.Identity;
using Simulation.Checks;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>A home, two devices that work for it, a caller, and what goes wrong: all of it follows from the seed.</summary>
internal sealed class SimWorld : ILoopWorld
{
    private static readonly TimeSpan Rhythm = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(15);

    /// <summary>From the end of the storm until what it left is noticed: an attempt whose device forgot it, a journal that failed.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    private readonly SimLoop _loop;
    private readonly SimNetwork _network;
    private readonly SimHome _home;
    private readonly SimDevice[] _devices;
    private readonly SimCaller _caller;
    private readonly History _history;
    private readonly TimeSpan _storm;
    private readonly SimFaults _faults;
    private readonly SimFaults[] _kinds;
    private TimeSpan _skewMost;
    private bool _isStorm = true;

    public SimWorld(int seed, SimFaults faults, Action<string>? told = null)
    {
        _faults = faults;

        // Everything at once takes longer to meet by chance.
        _storm = TimeSpan.FromMinutes(faults == SimFaults.All ? 6 : 2);
        _kinds = [.. Enum.GetValues<SimFaults>().Where(kind => kind is not (SimFaults.None or SimFaults.Loss or SimFaults.KilledAtCommit or SimFaults.All) && faults.HasFlag(kind))];
        _loop = new SimLoop(seed) { Told = told };
        _network = new SimNetwork(_loop) { Loss = faults.HasFlag(SimFaults.Loss) && _loop.Chance(0.5) ? _loop.Random.NextDouble() * 0.2 : 0 };
        _home = new SimHome(_loop, _network, IdOf('a'));
        _history = new History(_loop, _ => _home.Disk);
        _history.Groups.Watch(_home.Disk);
        _home.Groups = _history.Groups;
        _devices = [.. "bc".Select(letter => new SimDevice(_loop, _network, _home, IdOf(letter), _history))];
        _caller = new SimCaller(_loop, _home, [.. _devices.Select(device => device.Id)], _history);
        foreach (SimDevice device in _devices)
        {
            _home.Know(device);
            device.Link();
        }
    }

    public SimLoop Loop => _loop;

    public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    /// <summary>A storm, then calm until everything that can end has ended, then the checks.</summary>
    public void Run()
    {
        _loop.After(TimeSpan.Zero, null, () =>
        {
            _home.Start();
            _caller.AddSchedules();
            _caller.UseGroups(placesMost: 3, share: 0.3);
            _caller.SubmitAgainAndAgain();
        });
        _loop.After(_loop.Between(1, 20), null, Disturb);
        _loop.After(_storm, null, EndStorm);
        _loop.After(_storm + Rhythm, null, _caller.DisableSchedules);
        if (_faults.HasFlag(SimFaults.KilledAtCommit))
        {
            _home.Disk.Stored += KillAtCommit;
        }

        _loop.After(_storm + Settled, null, _history.Groups.ExpectProgress);
        _loop.RunOnPool(_storm + Rhythm + Calm);
        Counts["turns given in groups"] = _history.Groups.Granted;
        Counts["turns given in groups while others waited"] = _history.Groups.Contested;
        Counts["turns given in groups while other users waited"] = _history.Groups.ContestedByUsers;
        Checker.Check(_history, [_home.Disk], _caller.Crons);
    }

    private void EndStorm()
    {
        _isStorm = false;
        _caller.IsTired = true;
        _network.Loss = 0;

        // Schedules wait until the clock shows again what it has shown: that is not what is asked here.
        _home.Clock.Skew = _skewMost;
        _home.Disk.Mood = DiskMood.Well;
        foreach (SimDevice device in _devices)
        {
            _network.Heal(device.Id, _home.Id);
            _network.Heal(_home.Id, device.Id);
            if (!device.IsUp)
            {
                device.Start();
            }
        }

        _home.Continue();
        if (!_home.IsUp)
        {
            _home.Start();
        }
    }

    private void Disturb()
    {
        if (!_isStorm)
        {
            return;
        }

        if (_kinds.Length > 0)
        {
            Do(_kinds[_loop.Random.Next(_kinds.Length)], _devices[_loop.Random.Next(_devices.Length)]);
        }

        _loop.After(_loop.Between(0.1, 30), null, Disturb);
    }

    private void Do(SimFaults kind, SimDevice device)
    {
        switch (kind)
        {
            case SimFaults.HomeKilled when _home.IsUp:
                Fault("home killed");
                KillHome(_loop.Chance(0.4) ? TimeSpan.Zero : _loop.Between(0.1, 25));
                break;
            case SimFaults.DeviceKilled when device.IsUp:
                bool keepsPrograms = _loop.Chance(0.5);
                Fault(keepsPrograms ? "node of a device killed" : "device killed");
                device.Kill(keepsPrograms);
                Later(0.1, 40, () =>
                {
                    if (!device.IsUp)
                    {
                        device.Start();
                    }
                });
                break;
            case SimFaults.LineCut when _loop.Chance(0.5):
                Fault("line cut");
                _network.Cut(device.Id, _home.Id);
                _network.Cut(_home.Id, device.Id);
                Later(0.1, 40, () =>
                {
                    _network.Heal(device.Id, _home.Id);
                    _network.Heal(_home.Id, device.Id);
                });
                break;
            case SimFaults.LineCut:
                Fault("one way cut");
                (DeviceId from, DeviceId to) = _loop.Chance(0.5) ? (device.Id, _home.Id) : (_home.Id, device.Id);
                _network.Cut(from, to);
                Later(0.1, 40, () => _network.Heal(from, to));
                break;
            case SimFaults.DiskTrouble:
                Fault("disk trouble");
                _home.Disk.Mood = _loop.Chance(0.5) ? DiskMood.Refuses : DiskMood.LosesAnswers;
                Later(0.01, 12, () => _home.Disk.Mood = DiskMood.Well);
                break;
            case SimFaults.DiskSequence when _home.Disk.Mood == DiskMood.Well:
                Fault("disk refused, was slow, lost answers");
                _home.Disk.Mood = DiskMood.Refuses;
                _loop.After(TimeSpan.FromSeconds(10), null, () => _home.Disk.Mood = DiskMood.IsSlow);
                _loop.After(TimeSpan.FromSeconds(20), null, () => _home.Disk.Mood = DiskMood.LosesAnswers);
                _loop.After(_loop.Between(20.1, 25), null, () => _home.Disk.Mood = DiskMood.Well);
                break;
            case SimFaults.ClockSet:
                Fault("clock set");
                _home.Clock.Skew += _loop.Between(-3600, 3600);
                _skewMost = _home.Clock.Skew > _skewMost ? _home.Clock.Skew : _skewMost;
                break;
            case SimFaults.HomeStopped when _home.IsUp:
                Fault("home stopped");
                _home.Stop();
                Later(1, 60, _home.Continue);
                break;
        }
    }

    private void KillAtCommit(StoredEvent stored)
    {
        if (_isStorm && _home.IsUp && _loop.Chance(0.05))
        {
            Fault("killed at a commit");
            KillHome(_loop.Between(0.1, 5));
        }
    }

    private void KillHome(TimeSpan back)
    {
        _home.Kill();
        _loop.After(back, null, () =>
        {
            if (!_home.IsUp)
            {
                _home.Start();
            }
        });
    }

    private void Later(double from, double to, Action act) => _loop.After(_loop.Between(from, to), null, act);

    private void Fault(string what)
    {
        _loop.Note(what);
        Counts[what] = Counts.GetValueOrDefault(what) + 1;
    }

    private static DeviceId IdOf(char letter) => DeviceId.Parse(new string(letter, DeviceId.TextLength));
}
