using System.Collections.Concurrent;
using Akka;
using Akka.Actor;
using Akka.Configuration;

namespace AgentMesh.EngineTests.Actor;

/// <summary>Phases of its own: first, then left and right, then last; "frail" does not go on after a failure.</summary>
public sealed class ShutdownPhaseTests() : ActorTest("""
    akka.coordinated-shutdown {
      terminate-actor-system = off
      run-by-actor-system-terminate = off
      phases {
        last { depends-on = [left, right], timeout = 50ms }
        left { depends-on = [first] }
        right { depends-on = [first] }
        first { }
        frail { depends-on = [last], recover = off }
        after-frail { depends-on = [frail] }
        off { depends-on = [first], enabled = off }
      }
    }
    """)
{
    private readonly ConcurrentQueue<string> _ran = new();

    private CoordinatedShutdown Phases => CoordinatedShutdown.Get(Sys);

    [Fact]
    public async Task A_phase_starts_when_those_it_depends_on_are_done()
    {
        var gate = new TaskCompletionSource<Done>(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (string phase in new[] { "last", "right", "left", "first" })
            Add(phase, phase);
        Phases.AddTask("left", "slow", () => gate.Task);

        Task<Done> run = Phases.Run(CoordinatedShutdown.UnknownReason.Instance);
        AwaitCondition(() => _ran.Contains("left"), Limit);
        Assert.DoesNotContain("last", _ran);
        gate.SetResult(Done.Instance);
        await run.WaitAsync(Limit);

        Assert.Equal("first", _ran.First());
        Assert.Equal("last", _ran.Last());
        Assert.Equal(4, _ran.Count);
    }

    [Fact]
    public async Task The_tasks_of_a_phase_run_at_the_same_time()
    {
        using var both = new Barrier(2);
        for (int i = 0; i < 2; i++)
            Phases.AddTask("first", $"task {i}", () => Task.Run(() => both.SignalAndWait(Limit) ? Done.Instance : throw new TimeoutException()));
        Add("frail", "reached");

        await Phases.Run(CoordinatedShutdown.UnknownReason.Instance).WaitAsync(Limit);

        Assert.Contains("reached", _ran);
    }

    [Fact]
    public async Task It_runs_once_for_the_first_reason()
    {
        Add("first", "first");
        Task<Done> run = Phases.Run(CoordinatedShutdown.ClusterLeavingReason.Instance);

        Assert.Same(run, Phases.Run(CoordinatedShutdown.ClrExitReason.Instance));
        await run.WaitAsync(Limit);
        Assert.Same(CoordinatedShutdown.ClusterLeavingReason.Instance, Phases.ShutdownReason);
        Assert.Equal(["first"], _ran);
    }

    [Fact]
    public async Task It_goes_on_after_a_failure_and_after_a_phase_that_takes_too_long()
    {
        Phases.AddTask("first", "fails", () => throw new InvalidOperationException("no"));
        Phases.AddTask("last", "never ends", () => new TaskCompletionSource<Done>().Task);
        Add("frail", "reached");

        await Phases.Run(CoordinatedShutdown.UnknownReason.Instance).WaitAsync(Limit);

        Assert.Equal(["reached"], _ran);
    }

    [Fact]
    public async Task It_fails_with_a_phase_that_must_not_fail()
    {
        Phases.AddTask("frail", "fails", () => Task.FromException<Done>(new InvalidOperationException("no")));
        Add("after-frail", "reached");

        await Assert.ThrowsAsync<InvalidOperationException>(() => Phases.Run(CoordinatedShutdown.UnknownReason.Instance).WaitAsync(Limit));
        Assert.Empty(_ran);
    }

    [Fact]
    public async Task It_starts_at_a_given_phase_and_leaves_out_those_that_are_off()
    {
        foreach (string phase in new[] { "first", "last", "frail", "off" })
            Add(phase, phase);

        await Phases.Run(CoordinatedShutdown.UnknownReason.Instance, "last").WaitAsync(Limit);

        Assert.Equal(["last", "frail"], _ran.Where(phase => phase != "off"));
        Assert.DoesNotContain("off", _ran);
    }

    [Fact]
    public void Unknown_phases_and_circles_are_refused()
    {
        Assert.Contains("first", Assert.Throws<ArgumentException>(() => Add("frist", "x")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Phases.AddTask("first", "", () => Task.FromResult(Done.Instance)));

        Config circle = ConfigurationFactory.ParseString("akka { stdout-loglevel = OFF, coordinated-shutdown.phases { a.depends-on = [b], b.depends-on = [a] } }");
        Assert.Throws<ConfigurationException>(() =>
        {
            ActorSystem system = ActorSystem.Create("circle", circle);
            CoordinatedShutdown.Get(system);
        });
    }

    private void Add(string phase, string name) => Phases.AddTask(phase, name, () =>
    {
        _ran.Enqueue(name);
        return Task.FromResult(Done.Instance);
    });
}
