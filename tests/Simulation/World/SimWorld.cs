using AgentMesh.Protocol.Identity;
using Simulation.Checks;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>A home, two devices that work for it, a caller, and what goes wrong: all of it follows from the seed.</summary>
internal sealed class SimWorld
{
    private static readonly TimeSpan Storm = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan Rhythm = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(15);

    private readonly SimLoop _loop;
    private readonly SimNetwork _network;
    private readonly SimHome _home;
    private readonly SimDevice[] _devices;
    private readonly SimCaller _caller;
    private readonly History _history;
    private TimeSpan _skewMost;
    private bool _isStorm = true;

    public SimWorld(int seed)
    {
        _loop = new SimLoop(seed);
        _network = new SimNetwork(_loop) { Loss = _loop.Chance(0.5) ? _loop.Random.NextDouble() * 0.2 : 0 };
        _home = new SimHome(_loop, _network, IdOf('a'));
        _history = new History(_loop, _home.Disk);
        _devices = [.. "bc".Select(letter => new SimDevice(_loop, _network, _home, IdOf(letter), _history))];
        _caller = new SimCaller(_loop, _home, _devices, _history);
        foreach (SimDevice device in _devices)
        {
            _home.Know(device);
            device.Link();
        }
    }

    public SimLoop Loop => _loop;

    public Dictionary<string, int> Faults { get; } = new(StringComparer.Ordinal);

    /// <summary>A storm, then calm until everything that can end has ended, then the checks.</summary>
    public void Run()
    {
        _home.Start();
        _caller.AddSchedules();
        _caller.SubmitAgainAndAgain();
        _loop.After(_loop.Between(1, 20), null, Disturb);
        _loop.RunUntil(Storm);
        EndStorm();
        _loop.RunUntil(Storm + Rhythm);
        _caller.DisableSchedules();
        _loop.RunUntil(Storm + Rhythm + Calm);
        Checker.Check(_history, _home, _caller.Crons);
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

        SimDevice device = _devices[_loop.Random.Next(_devices.Length)];
        switch (_loop.Random.Next(9))
        {
            case 0 or 1 when _home.IsUp:
                Fault("home killed");
                _home.Kill();
                Later(0.1, 25, () =>
                {
                    if (!_home.IsUp)
                    {
                        _home.Start();
                    }
                });
                break;
            case 2 when device.IsUp:
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
            case 3:
                Fault("line cut");
                _network.Cut(device.Id, _home.Id);
                _network.Cut(_home.Id, device.Id);
                Later(0.1, 40, () =>
                {
                    _network.Heal(device.Id, _home.Id);
                    _network.Heal(_home.Id, device.Id);
                });
                break;
            case 4:
                Fault("one way cut");
                (DeviceId from, DeviceId to) = _loop.Chance(0.5) ? (device.Id, _home.Id) : (_home.Id, device.Id);
                _network.Cut(from, to);
                Later(0.1, 40, () => _network.Heal(from, to));
                break;
            case 5 or 6:
                Fault("disk trouble");
                _home.Disk.Mood = _loop.Chance(0.5) ? DiskMood.Refuses : DiskMood.LosesAnswers;
                Later(0.01, 12, () => _home.Disk.Mood = DiskMood.Well);
                break;
            case 7:
                Fault("clock set");
                _home.Clock.Skew += _loop.Between(-3600, 3600);
                _skewMost = _home.Clock.Skew > _skewMost ? _home.Clock.Skew : _skewMost;
                break;
            default:
                Fault("home killed at once again");
                _home.Kill();
                _home.Start();
                break;
        }

        _loop.After(_loop.Between(0.1, 30), null, Disturb);
    }

    private void Later(double from, double to, Action act) => _loop.After(_loop.Between(from, to), null, act);

    private void Fault(string what)
    {
        _loop.Note(what);
        Faults[what] = Faults.GetValueOrDefault(what) + 1;
    }

    private static DeviceId IdOf(char letter) => DeviceId.Parse(new string(letter, DeviceId.TextLength));
}
