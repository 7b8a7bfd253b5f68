using Akka.Actor;
using Akka.Configuration;

namespace Akka.TestKit;

/// <summary>The settings under <c>akka.test</c>.</summary>
public class TestKitSettings : IExtension
{
    public TestKitSettings(Config config)
    {
        DefaultTimeout = config.GetTimeSpan("akka.test.default-timeout");
        SingleExpectDefault = config.GetTimeSpan("akka.test.single-expect-default");
        TestEventFilterLeeway = config.GetTimeSpan("akka.test.filter-leeway");
        TestTimeFactor = config.GetDouble("akka.test.timefactor", 1.0);
        if (TestTimeFactor <= 0)
            throw new ConfigurationException($"akka.test.timefactor must be positive, but is {TestTimeFactor}");
    }

    public TimeSpan DefaultTimeout { get; }

    public TimeSpan SingleExpectDefault { get; }

    public TimeSpan TestEventFilterLeeway { get; }

    public double TestTimeFactor { get; }
}

public class TestKitExtension : ExtensionIdProvider<TestKitSettings>
{
    public static TestKitSettings For(ActorSystem system) => new TestKitExtension().Apply(system);

    public override TestKitSettings CreateExtension(ExtendedActorSystem system)
    {
        system.Settings.InjectTopLevelFallback(Configs.TestConfigs.DefaultConfig);
        return new TestKitSettings(system.Settings.Config);
    }
}
