using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Configuration;
using Akka.Util.Internal;

namespace Akka.Remote;

public static class FailureDetectorLoader
{
    /// <param name="fqcn">A <see cref="FailureDetector"/> with a constructor (Config, EventStream).</param>
    /// <exception cref="ConfigurationException">No such type, or it cannot be made.</exception>
    public static FailureDetector Load(string fqcn, Config config, ActorSystem system)
    {
        FailureDetector detector = TypeResolver.Create<FailureDetector>(fqcn, "failure-detector.implementation-class", config, system.EventStream);
        detector.TimeSource = FailureDetector.ClockOf(((ActorSystemImpl)system).Settings.Clock);
        return detector;
    }

    public static FailureDetector LoadFailureDetector(this IActorContext context, string fqcn, Config config) => Load(fqcn, config, context.System);
}
