using AgentMesh.Mesh.Sharding;
using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>An entity whose end is told to the URL that its caller named.</summary>
/// <typeparam name="TEvent">What all events of the entity are.</typeparam>
public abstract class TellingEntity<TEvent> : HomeEntity<TEvent>
    where TEvent : class
{
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromSeconds(1);

    private readonly Telling _telling;

    /// <inheritdoc cref="HomeEntity{TEvent}(string, DeviceId, TimeProvider, int, HomeJournal?, Func{DeviceId, bool}?)"/>
    /// <param name="deliver">Sends what is told.</param>
    protected TellingEntity(string persistenceId, DeviceId self, TimeProvider time, int snapshotEvery, DeliverParcel deliver, HomeJournal? journal = null, Func<DeviceId, bool>? isHome = null)
        : base(persistenceId, self, time, snapshotEvery, journal, isHome)
    {
        _telling = new Telling(deliver);
        Command<Courier.Back>(OnTold);
    }

    /// <summary>How long nothing has to be sent; null where nothing waits.</summary>
    protected abstract TimeSpan? UntilParcel();

    /// <summary>What is sent now; null for nothing.</summary>
    protected abstract Parcel? ReadyParcel();

    /// <summary>Journals that an attempt to tell the end has ended.</summary>
    /// <returns>False where that changes nothing any more, as for an end before the present one.</returns>
    protected abstract bool RecordTold(string deliveryId, DeliveryAnswer answer);

    /// <returns>When to look again; null where nothing is to be told, and the entity may rest.</returns>
    protected TimeSpan? SendParcel() => _telling.Send(UntilParcel(), ReadyParcel, Self);

    protected override void AfterRejection()
    {
        _telling.Rejected();
        LookAgain(AfterRefusal);
    }

    protected override void PostStop()
    {
        _telling.Stop();
        base.PostStop();
    }

    private void OnTold(Courier.Back back)
    {
        _telling.Returned();
        if (!RecordTold(back.DeliveryId, back.Answer))
        {
            LookAtOnce();
        }
    }
}
