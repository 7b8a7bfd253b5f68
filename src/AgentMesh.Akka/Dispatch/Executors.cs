using System.Collections.Concurrent;
using Akka.Configuration;

namespace Akka.Dispatch;

/// <summary>Where dispatchers run things.</summary>
public abstract class ExecutorService
{
    protected ExecutorService(string id) => Id = id;

    public string Id { get; }

    /// <exception cref="RejectedExecutionException">Shut down.</exception>
    public abstract void Execute(IRunnable run);

    public abstract void Shutdown();

    /// <param name="yield">True when what is queued already should come first.</param>
    internal virtual void Execute(IRunnable run, bool yield) => Execute(run);
}

public abstract class ExecutorServiceFactory
{
    public abstract ExecutorService Produce(string id);
}

/// <summary>Makes executors from a section; named by the setting <c>executor</c>.</summary>
public abstract class ExecutorServiceConfigurator : ExecutorServiceFactory
{
    protected ExecutorServiceConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    {
        Config = config;
        Prerequisites = prerequisites;
    }

    public Config Config { get; }

    public IDispatcherPrerequisites Prerequisites { get; }
}

internal sealed class ThreadPoolExecutorConfigurator(Config config, IDispatcherPrerequisites prerequisites) : ExecutorServiceConfigurator(config, prerequisites)
{
    public override ExecutorService Produce(string id) => new ThreadPoolExecutor(id);
}

/// <summary>The threads of the process-wide pool.</summary>
internal sealed class ThreadPoolExecutor(string id) : ExecutorService(id)
{
    // The pool takes a thread's own queue first and last in, first out. That keeps a conversation of two actors on one core, but it
    // would starve the shared queue; so every so often a thread puts its work at the back of the shared queue.
    private const int LocalRuns = 32;

    [ThreadStatic]
    private static int t_localRuns;

    private volatile bool _shutdown;

    public override void Execute(IRunnable run) => Execute(run, yield: false);

    public override void Shutdown() => _shutdown = true;

    internal override void Execute(IRunnable run, bool yield)
    {
        if (_shutdown)
            throw new RejectedExecutionException($"The executor of {Id} is shut down");
        bool local = !yield && ++t_localRuns % LocalRuns != 0;
        ThreadPool.UnsafeQueueUserWorkItem(run, local);
    }
}

/// <summary>Section <c>dedicated-thread-pool</c>: thread-count, threadtype (background or foreground); or <c>fork-join-executor</c> parallelism.</summary>
internal sealed class DedicatedThreadsConfigurator : ExecutorServiceConfigurator
{
    public DedicatedThreadsConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
    }

    public override ExecutorService Produce(string id)
    {
        Config dedicated = Config.GetConfig("dedicated-thread-pool") ?? Config.Empty;
        Config forkJoin = Config.GetConfig("fork-join-executor") ?? Config.Empty;
        int count = dedicated.GetInt("thread-count");
        if (count <= 0)
            count = ThreadPoolConfig.ScaledPoolSize(forkJoin.GetInt("parallelism-min", 2), forkJoin.GetDouble("parallelism-factor", 1.0), forkJoin.GetInt("parallelism-max", 64));
        bool background = dedicated.GetString("threadtype", "background") != "foreground";
        return new DedicatedThreadsExecutor(id, count, background);
    }
}

/// <summary>Threads of its own. They start with the first work and end with <see cref="Shutdown"/>.</summary>
internal sealed class DedicatedThreadsExecutor(string id, int count, bool background) : ExecutorService(id)
{
    private readonly BlockingCollection<IRunnable> _work = [];
    private int _started;

    public override void Execute(IRunnable run)
    {
        if (Volatile.Read(ref _started) == 0 && Interlocked.Exchange(ref _started, 1) == 0)
            Start();
        try
        {
            _work.Add(run);
        }
        catch (InvalidOperationException)
        {
            throw new RejectedExecutionException($"The threads of {Id} are shut down");
        }
    }

    public override void Shutdown() => _work.CompleteAdding();

    private void Start()
    {
        for (int i = 0; i < count; i++)
            new Thread(Work) { IsBackground = background, Name = $"{Id}-{i}" }.Start();
    }

    private void Work()
    {
        foreach (IRunnable run in _work.GetConsumingEnumerable())
            run.Run();
    }
}

/// <summary>Sizes of pools.</summary>
public class ThreadPoolConfig
{
    public ThreadPoolConfig(Config config)
    {
        PoolSizeMin = config.GetInt("core-pool-size-min");
        PoolSizeMax = config.GetInt("core-pool-size-max");
        PoolSizeFactor = config.GetDouble("core-pool-size-factor");
    }

    public int PoolSizeMin { get; }

    public int PoolSizeMax { get; }

    public double PoolSizeFactor { get; }

    /// <returns>The processors times <paramref name="scalar"/>, within the limits.</returns>
    public static int ScaledPoolSize(int floor, double scalar, int ceiling) =>
        Math.Min(Math.Max((int)Math.Ceiling(Environment.ProcessorCount * scalar), floor), ceiling);
}
