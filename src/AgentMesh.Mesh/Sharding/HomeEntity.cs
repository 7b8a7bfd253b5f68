using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.Mesh.Sharding;

/// <summary>An entity that only its own device sees and changes, and that looks again and again whether something is due.</summary>
/// <typeparam name="TEvent">What all events of the entity are.</typeparam>
public abstract class HomeEntity<TEvent> : JournalledEntity<TEvent>, IWithTimers
    where TEvent : class
{
    private readonly DeviceId _self;
    private readonly Func<DeviceId, bool> _isHome;

    /// <param name="isHome">Whether a device speaks for the home: this one alone, or each member of the pool.</param>
    protected HomeEntity(string persistenceId, DeviceId self, TimeProvider time, int snapshotEvery, HomeJournal? journal = null, Func<DeviceId, bool>? isHome = null)
        : base(persistenceId, time, snapshotEvery, journal)
    {
        _self = self;
        _isHome = isHome ?? (device => device == self);
        Command<Due>(_ => OnLook());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>In the singular, for a person: "a schedule".</summary>
    protected abstract string Kind { get; }

    /// <summary>What an asker is told while there is none of this id; null when there is.</summary>
    protected abstract object? Missing { get; }

    protected abstract object Refusal(string code, string text, string? next);

    protected abstract void OnLook();

    /// <summary>Instead of the look that was planned.</summary>
    protected void LookAgain(TimeSpan after) => Timers.StartSingleTimer(Due.Instance, Due.Instance, after);

    /// <summary>Through the mailbox: an event is persisted from a message only.</summary>
    protected void LookAtOnce() => Self.Tell(Due.Instance);

    /// <summary>Nothing is due until somebody asks.</summary>
    protected void StopLooking() => Timers.Cancel(Due.Instance);

    /// <summary>Handles what the jobs of this home tell; nobody else has a say.</summary>
    /// <param name="askSoon">Has the job asked again before long: a member of the pool that has only just joined need not be known as one yet.</param>
    protected void FromJobs<T>(Action<T> act, Action<JobId> askSoon)
        where T : IJobMessage => Command<T>(told =>
    {
        if (IsFromHere())
        {
            act(told);
        }
        else
        {
            askSoon(told.JobId);
        }
    });

    /// <summary>For the home alone.</summary>
    protected void Owned(Action answer)
    {
        if (IsFromHere())
        {
            answer();
        }
        else
        {
            Sender.Tell(Refusal(MeshErrors.NotYours, $"{Kind} is shown and changed on its own device only", "do it on that device"));
        }
    }

    /// <summary>For the home alone, where there is one of this id.</summary>
    protected void Known(Action answer) => Owned(() =>
    {
        if (Missing is { } missing)
        {
            Sender.Tell(missing);
        }
        else
        {
            answer();
        }
    });

    /// <summary>Its journal was removed: what it knows is over.</summary>
    protected void Leave() => Context.Parent.Tell(new Passivate(PoisonPill.Instance));

    private bool IsFromHere() => _isHome(Origin.Of(Sender, Context.System, _self));

    private sealed class Due : INoSerializationVerificationNeeded
    {
        public static readonly Due Instance = new();
    }
}
