using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Mesh.Cron.Entity;

/// <summary>What a schedule needs of the device it lives on.</summary>
/// <param name="Life">Of the node: another number means that it was started anew, which is what <c>@reboot</c> waits for.</param>
/// <param name="Jobs">The jobs of this home.</param>
/// <param name="RestAfter">So long a schedule that waits for nothing stays in memory.</param>
public sealed record CronEnvironment(DeviceId Self, long Life, IActorRef Jobs, TimeProvider Time, TimeSpan RestAfter)
{
    /// <summary>Is told of each event when it is on disk, not again in recoveries. Never throws.</summary>
    public Action<CronId, ICronEvent> Happened { get; init; } = static (_, _) => { };

    /// <summary>The devices of a schedule that are looked for at each time.</summary>
    public ChooseCronTargets Choose { get; init; } = static (_, _) => [];

    /// <summary>Sends what is told of a run to the URL of its schedule.</summary>
    public DeliverParcel Deliver { get; init; } = DeliveryAnswer.NothingIsSent;

    /// <summary>Null for the default journal of the actor system.</summary>
    public HomeJournal? Journal { get; init; }

    /// <summary>Whether a device speaks for this home; null where only its own device does.</summary>
    public Func<DeviceId, bool>? IsHome { get; init; }
}
