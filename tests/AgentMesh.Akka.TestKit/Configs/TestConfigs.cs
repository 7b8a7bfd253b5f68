using Akka.Configuration;

namespace Akka.TestKit.Configs;

public static class TestConfigs
{
    /// <summary>The settings under <c>akka.test</c>, and the logger that event filters need.</summary>
    public static Config DefaultConfig { get; } = ConfigurationFactory.FromResource("Akka.TestKit.testkit.conf", typeof(TestConfigs).Assembly);

    /// <summary>Time stands still until the test moves it: <see cref="TestScheduler"/>.</summary>
    public static Config TestSchedulerConfig { get; } =
        ConfigurationFactory.ParseString("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, AgentMesh.Akka.TestKit\"").WithFallback(DefaultConfig);
}
