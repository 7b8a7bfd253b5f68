using AgentMesh.Mesh.Jobs;
using Akka.Actor;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>Is out with one parcel of an entity at a time; its return is a message to the entity. For the thread of that actor only.</summary>
internal sealed class Courier(DeliverParcel deliver)
{
    private readonly CancellationTokenSource _stopping = new();

    public bool IsOut { get; private set; }

    public void Send(Parcel parcel, IActorRef entity)
    {
        IsOut = true;
        (string id, JobId job) = (parcel.DeliveryId, parcel.JobId);
        _ = deliver(parcel, _stopping.Token).PipeTo(
            entity,
            success: answer => new Back(id, job, answer),
            failure: error => new Back(id, job, DeliveryAnswer.None(error.GetBaseException().Message)));
    }

    public void Returned() => IsOut = false;

    /// <summary>Whoever has the entity next sends it again.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    internal sealed record Back(string DeliveryId, JobId JobId, DeliveryAnswer Answer) : INoSerializationVerificationNeeded;
}
