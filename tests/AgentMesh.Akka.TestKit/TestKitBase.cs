using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.TestKit.Configs;
using Akka.TestKit.Internal;
using Akka.Util;

namespace Akka.TestKit;

/// <summary>
/// A system under test and an actor, <see cref="TestActor"/>, whose messages the test takes one by one. What the test sends outside of actors comes
/// from that actor. Not safe for several threads at once.
/// </summary>
/// <remarks>
/// Every waiting method has a maximum. Left out, it is what remains of the <see cref="Within(TimeSpan,Action,TimeSpan?,CancellationToken)"/> around it,
/// or <c>akka.test.single-expect-default</c>. Given, it is stretched by <c>akka.test.timefactor</c>.
/// </remarks>
public abstract partial class TestKitBase : IActorRefFactory
{
    private static int s_number;

    private readonly ITestKitAssertions _assertions;
    private readonly TestQueue _queue = new();
    private MessageEnvelope _last = NullMessageEnvelope.Instance;
    private IActorRef _testActor = null!;
    private ActorSystem _system = null!;
    private TestKitSettings _settings = null!;

    /// <param name="system">Null makes one with <see cref="DefaultConfig"/>.</param>
    protected TestKitBase(ITestKitAssertions assertions, ActorSystem system = null!, string testActorName = null!)
        : this(assertions, system, ActorSystemSetup.Empty, null!, testActorName)
    {
    }

    protected TestKitBase(ITestKitAssertions assertions, ActorSystemSetup setup, string actorSystemName = null!, string testActorName = null!)
        : this(assertions, null!, setup, actorSystemName, testActorName)
    {
    }

    /// <param name="config">What it does not say is taken from <see cref="DefaultConfig"/>.</param>
    protected TestKitBase(ITestKitAssertions assertions, Config config, string actorSystemName = null!, string testActorName = null!)
        : this(assertions, null!, ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config ?? Config.Empty)), actorSystemName, testActorName)
    {
    }

    protected TestKitBase(ITestKitAssertions assertions, ActorSystem system, ActorSystemSetup config, string actorSystemName, string testActorName)
    {
        _assertions = assertions ?? throw new ArgumentNullException(nameof(assertions));
        InitializeTest(system, config, actorSystemName, testActorName);
    }

    public static Config DefaultConfig => TestConfigs.DefaultConfig;

    /// <summary>Logs everything actors and the engine do. For looking at a failing test.</summary>
    public static Config FullDebugConfig { get; } = ConfigurationFactory.ParseString("""
        akka {
          loglevel = DEBUG
          stdout-loglevel = DEBUG
          actor.debug { receive = on, autoreceive = on, lifecycle = on, event-stream = on, unhandled = on }
        }
        """).WithFallback(DefaultConfig);

    public ActorSystem Sys => _system;

    public TestKitSettings TestKitSettings => _settings;

    public IActorRef TestActor => _testActor;

    public ILoggingAdapter Log => Logging.GetLogger(_system, GetType());

    public EventFilterFactory EventFilter => new(this);

    public bool HasMessages => _queue.HasMessages;

    /// <exception cref="IllegalActorStateException">The last receive got nothing.</exception>
    public object LastMessage => _last.Message;

    /// <exception cref="IllegalActorStateException">The last receive got nothing.</exception>
    public IActorRef LastSender => _last.Sender;

    internal ITestKitAssertions Assertions => _assertions;

    public EventFilterFactory CreateEventFilter(ActorSystem system) => new(this, system);

    public virtual TestLatch CreateTestLatch(int count = 1) => TestLatch.Of(this, count);

    public TestBarrier CreateTestBarrier(int count) => new(this, count);

    public virtual TestProbe CreateTestProbe(string name = null!) => CreateTestProbe(Sys, name);

    public virtual TestProbe CreateTestProbe(ActorSystem system, string name = null!) => new(system, _assertions, name);

    /// <summary>An actor whose messages reach this test too, among those of <see cref="TestActor"/>.</summary>
    public IActorRef CreateTestActor(string name) => StartRecorder(name);

    /// <summary>From now on <see cref="TestActor"/> watches; on return it does.</summary>
    public IActorRef Watch(IActorRef actorToWatch)
    {
        RunInTestActor(context => context.Watch(actorToWatch), blocking: true).GetAwaiter().GetResult();
        return actorToWatch;
    }

    public async Task<IActorRef> WatchAsync(IActorRef actorToWatch)
    {
        await RunInTestActor(context => context.Watch(actorToWatch), blocking: false);
        return actorToWatch;
    }

    public IActorRef Unwatch(IActorRef actorToUnwatch)
    {
        RunInTestActor(context => context.Unwatch(actorToUnwatch), blocking: true).GetAwaiter().GetResult();
        return actorToUnwatch;
    }

    public async Task<IActorRef> UnwatchAsync(IActorRef actorToUnwatch)
    {
        await RunInTestActor(context => context.Unwatch(actorToUnwatch), blocking: false);
        return actorToUnwatch;
    }

    /// <summary>Messages for which it says true do not reach the test.</summary>
    public void IgnoreMessages(Func<object, bool> shouldIgnoreMessage) =>
        _testActor.Tell(new TestActor.SetIgnore(message => shouldIgnoreMessage(message)));

    public void IgnoreMessages<TMsg>() => IgnoreMessages<TMsg>(static _ => true);

    public void IgnoreMessages<TMsg>(Func<TMsg, bool> shouldIgnoreMessage) =>
        IgnoreMessages(message => message is TMsg one && shouldIgnoreMessage(one));

    public void IgnoreNoMessages() => _testActor.Tell(new TestActor.SetIgnore(null!));

    /// <summary>Runs on every further message of the test actor before the test sees it.</summary>
    public void SetAutoPilot(AutoPilot pilot) => _testActor.Tell(new TestActor.SetAutoPilot(pilot));

    public virtual void Shutdown(TimeSpan? duration = null, bool verifySystemShutdown = false) => Shutdown(_system, duration, verifySystemShutdown);

    /// <param name="duration">Five seconds, stretched, when left out.</param>
    /// <param name="verifySystemShutdown">True fails when the system did not end in time; false warns.</param>
    protected virtual void Shutdown(ActorSystem system, TimeSpan? duration = null, bool verifySystemShutdown = false)
    {
        system ??= _system;
        TimeSpan time = duration ?? Dilated(TimeSpan.FromSeconds(5));
        if (system.Terminate().Wait(time))
            return;
        string message = $"The actor system {system.Name} did not end within {time}:\n{((ExtendedActorSystem)system).PrintTree()}";
        if (verifySystemShutdown)
            throw new TimeoutException(message);
        system.Log.Warning(message);
    }

    protected void InitializeTest(ActorSystem system, Config config, string actorSystemName, string testActorName) =>
        InitializeTest(system, ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config)), actorSystemName, testActorName);

    protected virtual void InitializeTest(ActorSystem system, ActorSystemSetup config, string actorSystemName, string testActorName)
    {
        _system = system ?? ActorSystem.Create(actorSystemName ?? "test", WithDefaults(config));
        _settings = TestKitExtension.For(_system);
        _testActor = StartRecorder(string.IsNullOrEmpty(testActorName) ? "testActor" : testActorName);
        if (this is INoImplicitSender)
            return;
        ActorCell cell = ((LocalActorRef)_testActor).Cell;
        InternalCurrentActorCellKeeper.Current = cell;
        SynchronizationContext.SetSynchronizationContext(new ImplicitSenderContext(cell));
    }

    private static ActorSystemSetup WithDefaults(ActorSystemSetup setup)
    {
        Option<BootstrapSetup> given = setup.Get<BootstrapSetup>();
        BootstrapSetup bootstrap = given.HasValue ? given.Value : BootstrapSetup.Create();
        return setup.WithSetup(bootstrap.WithConfigFallback(DefaultConfig));
    }

    private IActorRef StartRecorder(string name) => ((ExtendedActorSystem)_system).SystemActorOf(
        Props.CreateBy(new RecorderProducer(_queue)), $"{name}-{Interlocked.Increment(ref s_number)}");

    private async ValueTask RunInTestActor(Action<IActorContext> work, bool blocking)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _testActor.Tell(new TestActor.Do(work, done), ActorRefs.NoSender);
        if (blocking)
            done.Task.WaitAsync(Dilated(_settings.DefaultTimeout)).GetAwaiter().GetResult();
        else
            await done.Task.WaitAsync(Dilated(_settings.DefaultTimeout));
    }

    private sealed class RecorderProducer(TestQueue queue) : IIndirectActorProducer
    {
        public Type ActorType => typeof(TestActor.Recorder);

        public ActorBase Produce() => new TestActor.Recorder(queue);

        public void Release(ActorBase actor)
        {
        }
    }
}
