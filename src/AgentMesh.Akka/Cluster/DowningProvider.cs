using Akka.Actor;

namespace Akka.Cluster;

/// <summary>Decides which unreachable members are given up. Named by <c>akka.cluster.downing-provider-class</c>, made with (ActorSystem, Cluster).</summary>
public interface IDowningProvider
{
    TimeSpan DownRemovalMargin { get; }

    /// <summary>The actor that decides; null for none.</summary>
    Props DowningActorProps { get; }
}

/// <summary>Gives nobody up; people and programs do, with <see cref="Cluster.Down"/>.</summary>
public sealed class NoDowning : IDowningProvider
{
    public NoDowning(ActorSystem system, Cluster cluster)
    {
    }

    public TimeSpan DownRemovalMargin => TimeSpan.Zero;

    public Props DowningActorProps => null!;
}
