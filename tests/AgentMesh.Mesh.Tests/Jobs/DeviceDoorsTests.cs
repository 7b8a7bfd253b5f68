using System.Threading.Channels;
using AgentMesh.Mesh.Jobs.Doors;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Configuration;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>Jobs that wait for their devices; each job is the test.</summary>
public sealed class DeviceDoorsTests : IAsyncLifetime
{
    private static readonly DeviceId Away = DeviceId.Parse(new string('f', DeviceId.TextLength));
    private static readonly DeviceId There = DeviceId.Parse(new string('g', DeviceId.TextLength));
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ActorSystem _system = ActorSystem.Create("doors", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"));
    private readonly Channel<object> _called = Channel.CreateUnbounded<object>();
    private readonly IActorRef _jobs;
    private readonly IActorRef _doors;
    private volatile bool _isAwayBack;

    public DeviceDoorsTests()
    {
        _jobs = _system.ActorOf(Props.Create(() => new Mailbox(_called.Writer)));
        _doors = _system.ActorOf(DeviceDoors.Create(device => device == There || _isAwayBack ? 1 : null, TimeProvider.System));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _system.Terminate().WaitAsync(Patience);

    [Fact]
    public async Task Who_waits_for_a_device_is_called_when_it_is_there()
    {
        Wait(1, Away);
        Wait(2, There);
        Assert.Equal(JobOf(2), await NextAsync());

        _isAwayBack = true;
        Assert.Equal(JobOf(1), await NextAsync());
    }

    [Fact]
    public async Task No_more_are_on_the_way_than_a_device_is_given_at_once()
    {
        for (int job = 0; job < DeviceDoors.AtOnce + 2; job++)
        {
            Wait(job, There);
        }

        for (int job = 0; job < DeviceDoors.AtOnce; job++)
        {
            Assert.Equal(JobOf(job), await NextAsync());
        }

        // One that is on the way keeps its place, and one that waits goes before it comes to its turn.
        _doors.Tell(new OnTheWay(JobOf(0), There), _jobs);
        _doors.Tell(new LeftDoor(JobOf(DeviceDoors.AtOnce), There), _jobs);
        _doors.Tell(new LeftDoor(JobOf(3), There), _jobs);
        Assert.Equal(JobOf(DeviceDoors.AtOnce + 1), await NextAsync());
    }

    [Fact]
    public async Task The_higher_priority_goes_first_and_then_what_had_begun_before()
    {
        Wait(1, Away);
        Wait(2, Away, priority: -1);
        Wait(3, Away, hasBegun: true);
        Wait(4, Away, priority: 2);

        // All of them wait when this one is called.
        Wait(9, There);
        Assert.Equal(JobOf(9), await NextAsync());
        _isAwayBack = true;
        Assert.Equal([JobOf(4), JobOf(3), JobOf(1), JobOf(2)], [await NextAsync(), await NextAsync(), await NextAsync(), await NextAsync()]);
    }

    [Fact]
    public void What_is_silent_on_the_way_is_forgotten_and_makes_room()
    {
        var line = new DoorLine<string>(atOnce: 1, TimeSpan.FromSeconds(20));
        line.Add(JobOf(1), 0, false, "one", TimeSpan.Zero);
        line.Add(JobOf(2), 0, false, "two", TimeSpan.Zero);
        Assert.Equal("one", Assert.Single(line.Next(TimeSpan.Zero)).Caller);

        line.Hear(JobOf(1), TimeSpan.FromSeconds(10));
        line.ForgetSilent(TimeSpan.FromSeconds(20));
        Assert.Empty(line.Next(TimeSpan.FromSeconds(20)));

        line.ForgetSilent(TimeSpan.FromSeconds(30));
        Assert.Equal("two", Assert.Single(line.Next(TimeSpan.FromSeconds(30))).Caller);
    }

    [Fact]
    public void Another_actor_that_speaks_for_a_job_takes_its_place()
    {
        var line = new DoorLine<string>(atOnce: 1, TimeSpan.FromSeconds(20));
        Assert.False(line.Add(JobOf(1), 0, false, "old", TimeSpan.Zero));
        Assert.False(line.Add(JobOf(1), 0, false, "new", TimeSpan.Zero));
        Assert.Equal("new", Assert.Single(line.Next(TimeSpan.Zero)).Caller);
        Assert.True(line.Add(JobOf(1), 0, false, "newer", TimeSpan.Zero));
        Assert.Equal((0, 1), (line.Waiting, line.OnTheWay));
    }

    [Fact]
    public void The_places_of_those_that_went_are_not_kept_while_their_device_is_away()
    {
        var line = new DoorLine<string>(atOnce: 1, TimeSpan.FromSeconds(20));
        for (int i = 0; i < 10; i++)
        {
            line.Add(JobOf(i), 0, false, "stays", TimeSpan.Zero);
        }

        for (int i = 0; i < 10_000; i++)
        {
            JobId job = JobOf(100 + (i % 3)); // new ones, and such as come again
            line.Add(job, 5, false, "goes", TimeSpan.Zero);
            line.Remove(job);
        }

        Assert.Equal(10, line.Waiting);
        Assert.InRange(line.Places, 10, (2 * 10) + DoorLine<string>.GonePlacesMax + 1);
        Assert.Equal((JobOf(0), "stays"), Assert.Single(line.Next(TimeSpan.Zero)));
    }

    private void Wait(int job, DeviceId device, int priority = 0, bool hasBegun = false) => _doors.Tell(new AtDoor(JobOf(job), device, priority, hasBegun), _jobs);

    private async Task<JobId> NextAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        return Assert.IsType<MayBegin>(await _called.Reader.ReadAsync(limit.Token)).JobId;
    }

    private static JobId JobOf(int number) => JobId.FromIdempotencyKey(Samples.Home, $"door{number}");

    private sealed class Mailbox : ReceiveActor
    {
        public Mailbox(ChannelWriter<object> writer) => ReceiveAny(message => writer.TryWrite(message));
    }
}
