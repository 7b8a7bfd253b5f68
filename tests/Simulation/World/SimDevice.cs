using AgentMesh.Protocol.Identity;
using Simulation.Checks;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>A device that runs attempts for a home.</summary>
internal sealed class SimDevice
{
    private readonly SimLoop _loop;
    private readonly SimNetwork _network;
    private readonly SimHome _home;
    private readonly SimAttempts _attempts;
    private long _life;

    public SimDevice(SimLoop loop, SimNetwork network, SimHome home, DeviceId id, History history)
    {
        _loop = loop;
        _network = network;
        _home = home;
        Id = id;
        _life = loop.Random.Next(1, 1_000_000);
        _attempts = new SimAttempts(loop, history, () => _life, (_, message) =>
        {
            if (IsUp)
            {
                network.Send(id, home.Id, () => home.Deliver(id, message));
            }
        });
    }

    public DeviceId Id { get; }

    public bool IsUp { get; private set; } = true;

    /// <summary>The life that the home's link has heard of; null while the link is down.</summary>
    public long? LifeSeen { get; private set; }

    /// <summary>The link between home and device is looked at again and again.</summary>
    public void Link()
    {
        bool isOpen = IsUp && _home.IsUp && _network.IsOpen(Id, _home.Id) && _network.IsOpen(_home.Id, Id);
        LifeSeen = isOpen ? _life : null;
        _loop.After(_loop.Between(0.5, 3), null, Link);
    }

    /// <param name="keepsPrograms">What runs outlives the node; ends are told when it is back.</param>
    public void Kill(bool keepsPrograms)
    {
        IsUp = false;
        if (!keepsPrograms)
        {
            _attempts.Kill();
        }
    }

    public void Start()
    {
        IsUp = true;
        _life++;
    }

    public void Receive(object message)
    {
        if (IsUp)
        {
            _attempts.Receive(message);
        }
    }
}
