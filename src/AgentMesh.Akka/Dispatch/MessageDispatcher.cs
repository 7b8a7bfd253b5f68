using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.Util.Internal;

namespace Akka.Dispatch;

/// <summary>What dispatchers are made with.</summary>
public interface IDispatcherPrerequisites
{
    EventStream EventStream { get; }

    IScheduler Scheduler { get; }

    Settings Settings { get; }

    Mailboxes Mailboxes { get; }
}

public sealed class DefaultDispatcherPrerequisites : IDispatcherPrerequisites
{
    public DefaultDispatcherPrerequisites(EventStream eventStream, IScheduler scheduler, Settings settings, Mailboxes mailboxes)
    {
        EventStream = eventStream;
        Scheduler = scheduler;
        Settings = settings;
        Mailboxes = mailboxes;
    }

    public EventStream EventStream { get; }

    public IScheduler Scheduler { get; }

    public Settings Settings { get; }

    public Mailboxes Mailboxes { get; }
}

/// <summary>Runs mailboxes.</summary>
public abstract class MessageDispatcher
{
    public const int DefaultThroughput = 100;

    private long _inhabitants;

    protected MessageDispatcher(MessageDispatcherConfigurator configurator)
    {
        Configurator = configurator;
        EventStream = configurator.Prerequisites.EventStream;
        Mailboxes = configurator.Prerequisites.Mailboxes;
        Clock = configurator.Prerequisites.Settings.Clock;
        Throughput = DefaultThroughput;
        Id = string.Empty;
    }

    public MessageDispatcherConfigurator Configurator { get; }

    public EventStream EventStream { get; }

    public Mailboxes Mailboxes { get; }

    public string Id { get; protected set; }

    /// <summary>Messages of one actor that are handled before others have their turn.</summary>
    public int Throughput { get; set; }

    /// <summary>In ticks of 100 ns; null or 0 for no limit.</summary>
    public long? ThroughputDeadlineTime { get; protected set; }

    public TimeSpan ShutdownTimeout { get; protected set; }

    internal TimeProvider Clock { get; }

    protected long Inhabitants => Interlocked.Read(ref _inhabitants);

    /// <summary>Runs something that is not a mailbox.</summary>
    public void Schedule(Action run) => Schedule(new ActionRunnable(run));

    public void Schedule(IRunnable run) => ExecuteTask(run);

    public virtual void Attach(ActorCell cell)
    {
        Interlocked.Increment(ref _inhabitants);
        RegisterForExecution(cell.Mailbox, hasMessageHint: false, hasSystemMessageHint: true);
    }

    /// <summary>Takes the mailbox from an actor that has ended.</summary>
    public virtual void Detach(ActorCell cell)
    {
        try
        {
            Mailbox mailbox = cell.SwapMailbox(Mailboxes.DeadLetterMailbox);
            mailbox.BecomeClosed();
            mailbox.CleanUp();
        }
        finally
        {
            if (Interlocked.Decrement(ref _inhabitants) == 0)
                OnLastDetached();
        }
    }

    public virtual void Dispatch(ActorCell cell, Envelope envelope)
    {
        Mailbox mailbox = cell.Mailbox;
        mailbox.Enqueue(cell.Self, envelope);
        RegisterForExecution(mailbox, hasMessageHint: true, hasSystemMessageHint: false);
    }

    public virtual void SystemDispatch(ActorCell cell, SystemMessage message)
    {
        Mailbox mailbox = cell.Mailbox;
        mailbox.SystemEnqueue(cell.Self, message);
        RegisterForExecution(mailbox, hasMessageHint: false, hasSystemMessageHint: true);
    }

    /// <summary>Queues the mailbox on the executor when it has work and is not queued already.</summary>
    /// <param name="yield">True when others should come before it.</param>
    internal bool RegisterForExecution(Mailbox mailbox, bool hasMessageHint, bool hasSystemMessageHint, bool yield = false)
    {
        if (!mailbox.TrySchedule(hasMessageHint, hasSystemMessageHint))
            return false;
        try
        {
            ExecuteMailbox(mailbox, yield);
            return true;
        }
        catch (RejectedExecutionException e)
        {
            mailbox.Unschedule();
            ReportFailure(e);
            return false;
        }
    }

    internal long DeadlineTimestamps(long ticks) => (long)(ticks * ((double)Clock.TimestampFrequency / TimeSpan.TicksPerSecond));

    internal void ShutdownNow() => Shutdown();

    internal virtual void ExecuteMailbox(Mailbox mailbox, bool yield) => ExecuteTask(mailbox);

    internal virtual void OnLastDetached()
    {
    }

    protected void ReportFailure(Exception ex) =>
        EventStream.Publish(new Error(ex, GetType().FullName!, GetType(), $"Dispatcher {Id} could not run a mailbox: {ex.Message}"));

    protected abstract void ExecuteTask(IRunnable run);

    protected abstract void Shutdown();
}

/// <summary>Makes the dispatchers of a section of the configuration; named by its setting <c>type</c>.</summary>
public abstract class MessageDispatcherConfigurator
{
    protected MessageDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    {
        Config = config;
        Prerequisites = prerequisites;
    }

    public Config Config { get; }

    public IDispatcherPrerequisites Prerequisites { get; }

    /// <summary>The dispatcher for one lookup: the same object, or a new one each time.</summary>
    public abstract MessageDispatcher Dispatcher();

    /// <summary>The executor that the setting <c>executor</c> names.</summary>
    protected ExecutorServiceConfigurator ConfigureExecutor()
    {
        string executor = Config.GetString("executor", "default-executor");
        return executor switch
        {
            "default-executor" or "thread-pool-executor" or "channel-executor" or "task-executor" or "" => new ThreadPoolExecutorConfigurator(Config, Prerequisites),
            "fork-join-executor" => new DedicatedThreadsConfigurator(Config, Prerequisites),
            _ => TypeResolver.Create<ExecutorServiceConfigurator>(executor, "executor", Config, Prerequisites),
        };
    }
}
