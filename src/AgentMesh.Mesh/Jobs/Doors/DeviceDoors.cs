using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Doors;

/// <summary>
/// Where the jobs of a home wait for their devices. A job that is accepted while its device is there begins at once; all others wait here, so that a device that
/// comes back to a hundred thousand of them is given as many as it confirms, and what somebody asks for meanwhile goes before. And a job that waits need
/// not look for its device: it is called.
/// </summary>
public sealed class DeviceDoors : ReceiveActor, IWithTimers
{
    /// <summary>On the way to one device: ordered, and not begun there. Well below what a device lets wait.</summary>
    public const int AtOnce = 256;

    /// <summary>Longer than a job that is on the way is silent: it says that it is each time its device says that it waits there.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private readonly Func<DeviceId, long?> _lifeOf;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Dictionary<DeviceId, DoorLine<IActorRef>> _lines = [];

    public DeviceDoors(Func<DeviceId, long?> lifeOf, TimeProvider time)
    {
        _lifeOf = lifeOf;
        _time = time;
        _start = time.GetTimestamp();
        Receive<AtDoor>(OnAtDoor);
        Receive<OnTheWay>(on => _lines.GetValueOrDefault(on.Device)?.Hear(on.JobId, Now));
        Receive<LeftDoor>(OnLeft);
        Receive<Look>(_ => OnLook());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private TimeSpan Now => _time.GetElapsedTime(_start);

    public static Props Create(Func<DeviceId, long?> lifeOf, TimeProvider time) => Props.Create(() => new DeviceDoors(lifeOf, time));

    private void OnAtDoor(AtDoor at)
    {
        if (!_lines.TryGetValue(at.Device, out DoorLine<IActorRef>? line))
        {
            _lines[at.Device] = line = new DoorLine<IActorRef>(AtOnce, ForgetAfter);
        }

        if (line.Add(at.JobId, at.Priority, at.HasBegun, Sender, Now))
        {
            Sender.Tell(new MayBegin(at.JobId));
        }

        Call(at.Device, line);
        if (!Timers.IsTimerActive(Look.Instance))
        {
            Timers.StartPeriodicTimer(Look.Instance, Look.Instance, LookEvery);
        }
    }

    private void OnLeft(LeftDoor left)
    {
        if (_lines.TryGetValue(left.Device, out DoorLine<IActorRef>? line))
        {
            line.Remove(left.JobId);
            Call(left.Device, line);
        }
    }

    private void OnLook()
    {
        foreach ((DeviceId device, DoorLine<IActorRef> line) in _lines)
        {
            line.ForgetSilent(Now);
            Call(device, line);
            if (line.IsEmpty)
            {
                _lines.Remove(device);
            }
        }

        if (_lines.Count == 0)
        {
            Timers.Cancel(Look.Instance);
        }
    }

    private void Call(DeviceId device, DoorLine<IActorRef> line)
    {
        if (line.Waiting > 0 && line.OnTheWay < AtOnce && _lifeOf(device) is not null)
        {
            foreach ((JobId job, IActorRef caller) in line.Next(Now))
            {
                caller.Tell(new MayBegin(job));
            }
        }
    }

    private sealed class Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}
