using Akka.Actor;
using Akka.Configuration;

namespace Akka.Dispatch;

/// <summary>Runs the mailboxes of its actors on one executor.</summary>
public class Dispatcher : MessageDispatcher
{
    private readonly ExecutorServiceFactory _factory;
    private readonly object _gate = new();
    private volatile ExecutorService? _executor;

    public Dispatcher(MessageDispatcherConfigurator configurator, string id, int throughput, long? throughputDeadlineTime, ExecutorServiceFactory executorServiceFactory, TimeSpan shutdownTimeout)
        : base(configurator)
    {
        _factory = executorServiceFactory;
        Id = id;
        Throughput = throughput;
        ThroughputDeadlineTime = throughputDeadlineTime;
        ShutdownTimeout = shutdownTimeout;
    }

    private protected ExecutorService Executor => _executor ?? Create();

    internal override void ExecuteMailbox(Mailbox mailbox, bool yield) => Executor.Execute(mailbox, yield);

    protected override void ExecuteTask(IRunnable run) => Executor.Execute(run);

    protected override void Shutdown()
    {
        lock (_gate)
            _executor?.Shutdown();
    }

    private ExecutorService Create()
    {
        lock (_gate)
            return _executor ??= _factory.Produce(Id);
    }
}

/// <summary>A dispatcher with a thread for one actor. The thread ends with the actor.</summary>
public sealed class PinnedDispatcher : Dispatcher
{
    private ActorCell? _owner;

    internal PinnedDispatcher(MessageDispatcherConfigurator configurator, string id, ExecutorServiceFactory executor, TimeSpan shutdownTimeout)
        : base(configurator, id, int.MaxValue, null, executor, shutdownTimeout)
    {
    }

    /// <exception cref="InvalidOperationException">Another actor has the thread.</exception>
    public override void Attach(ActorCell cell)
    {
        ActorCell? owner = Interlocked.CompareExchange(ref _owner, cell, null);
        if (owner is not null && !ReferenceEquals(owner, cell))
            throw new InvalidOperationException($"The thread of {Id} belongs to {owner.Self}; it cannot run {cell.Self} as well");
        base.Attach(cell);
    }

    internal override void OnLastDetached() => Shutdown();
}

/// <summary><c>type = Dispatcher</c>: one dispatcher for all lookups.</summary>
public sealed class DispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly Dispatcher _instance;

    public DispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
        TimeSpan deadline = config.GetTimeSpan("throughput-deadline-time", TimeSpan.Zero);
        _instance = new Dispatcher(
            this,
            config.GetString("id", string.Empty),
            config.GetInt("throughput", MessageDispatcher.DefaultThroughput),
            deadline > TimeSpan.Zero ? deadline.Ticks : null,
            ConfigureExecutor(),
            config.GetTimeSpan("shutdown-timeout", TimeSpan.FromSeconds(1)));
    }

    public override MessageDispatcher Dispatcher() => _instance;
}

/// <summary><c>type = PinnedDispatcher</c>: a new dispatcher, with a new thread, for each lookup.</summary>
internal sealed class PinnedDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites) : MessageDispatcherConfigurator(config, prerequisites)
{
    public override MessageDispatcher Dispatcher()
    {
        string id = Config.GetString("id", string.Empty);
        return new PinnedDispatcher(this, id, new OneThread(), Config.GetTimeSpan("shutdown-timeout", TimeSpan.FromSeconds(1)));
    }

    private sealed class OneThread : ExecutorServiceFactory
    {
        public override ExecutorService Produce(string id) => new DedicatedThreadsExecutor(id, 1, background: true);
    }
}
