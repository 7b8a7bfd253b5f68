using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.TestKit.Xunit2.Internals;
using Xunit.Abstractions;

namespace Akka.TestKit.Xunit2;

/// <summary>The base of a class of xUnit tests; each test has a system of its own, which ends with it.</summary>
public class TestKit : TestKitBase, IDisposable
{
    /// <summary>Gets the log too; null when not given.</summary>
    protected readonly ITestOutputHelper Output;

    private bool _disposed;

    /// <param name="system">Null makes one. One that is given is ended with the test as well.</param>
    public TestKit(ActorSystem system = null!, ITestOutputHelper output = null!)
        : base(Assertions, system)
    {
        Output = output;
        InitializeLogger(Sys);
    }

    public TestKit(ActorSystemSetup config, string actorSystemName = null!, ITestOutputHelper output = null!)
        : base(Assertions, config, actorSystemName)
    {
        Output = output;
        InitializeLogger(Sys);
    }

    public TestKit(Config config, string actorSystemName = null!, ITestOutputHelper output = null!)
        : base(Assertions, config, actorSystemName)
    {
        Output = output;
        InitializeLogger(Sys);
    }

    public TestKit(string config, ITestOutputHelper output = null!)
        : base(Assertions, ConfigurationFactory.ParseString(config))
    {
        Output = output;
        InitializeLogger(Sys);
    }

    public static new Config DefaultConfig => TestKitBase.DefaultConfig;

    public static new Config FullDebugConfig => TestKitBase.FullDebugConfig;

    protected static new XunitAssertions Assertions { get; } = new();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs when a test is over, and ends its system.</summary>
    protected virtual void AfterAll() => Shutdown();

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing || _disposed)
            return;
        _disposed = true;
        try
        {
            AfterAll();
        }
        finally
        {
            InternalCurrentActorCellKeeper.Current = null!;
        }
    }

    protected void InitializeLogger(ActorSystem system) => StartLogger(system, Output);

    /// <param name="prefix">In front of each line, to tell systems apart.</param>
    protected void InitializeLogger(ActorSystem system, string prefix) =>
        StartLogger(system, Output is null || string.IsNullOrEmpty(prefix) ? Output : new PrefixedOutput(Output, prefix));

    private static void StartLogger(ActorSystem system, ITestOutputHelper? output)
    {
        if (output is null)
            return;
        IActorRef logger = ((ExtendedActorSystem)system).SystemActorOf(Props.Create(() => new TestOutputLogger(output)), $"log-test-{Guid.NewGuid():N}");
        logger.Ask<LoggerInitialized>(new InitializeLogger(system.EventStream), TimeSpan.FromSeconds(10)).GetAwaiter().GetResult();
    }
}
