using AgentMesh.Mesh.Cron.Delivery;
using AgentMesh.Mesh.Jobs;
using Akka.Actor;

namespace AgentMesh.Mesh.Cron.Entity;

/// <summary>Is out with one parcel of a schedule at a time; its return is a message to the schedule. For the thread of that actor only.</summary>
internal sealed class CronCourier(DeliverCron deliver)
{
    private readonly CancellationTokenSource _stopping = new();

    public bool IsOut { get; private set; }

    public void Send(CronParcel parcel, IActorRef schedule)
    {
        IsOut = true;
        JobId job = parcel.Run.JobId;
        _ = deliver(parcel, _stopping.Token).PipeTo(
            schedule,
            success: answer => new Back(job, answer),
            failure: error => new Back(job, DeliveryAnswer.None(error.GetBaseException().Message)));
    }

    public void Returned() => IsOut = false;

    /// <summary>Whoever has the schedule next sends it again.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    internal sealed record Back(JobId JobId, DeliveryAnswer Answer) : INoSerializationVerificationNeeded;
}
