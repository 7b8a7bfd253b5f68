using Akka.Actor;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>Tells the end of a job, an array or a workflow to the URL that its caller named, an attempt at a time. For the thread of its actor only.</summary>
internal sealed class Telling(DeliverParcel deliver)
{
    /// <summary>While an attempt is under way its return is a message; this look is for nothing but to be sure.</summary>
    private static readonly TimeSpan WhileOut = TimeSpan.FromMinutes(1);

    /// <summary>After an answer that the journal did not take.</summary>
    private static readonly TimeSpan AfterRejection = TimeSpan.FromSeconds(10);

    // Most tell nobody.
    private Courier? _courier;
    private bool _wasRejected;

    /// <summary>Sends what is due.</summary>
    /// <param name="wait">Until it is due; null where nothing is to be told.</param>
    /// <param name="ready">What is due.</param>
    /// <returns>When to look again; null where nothing is to be told, and the entity may rest.</returns>
    public TimeSpan? Send(TimeSpan? wait, Func<Parcel?> ready, IActorRef entity)
    {
        if (_courier?.IsOut == true)
        {
            return WhileOut;
        }

        if (wait is not { } until)
        {
            return null;
        }

        if (_wasRejected)
        {
            _wasRejected = false;
            return until < AfterRejection ? AfterRejection : until;
        }

        if (until > TimeSpan.Zero)
        {
            return until;
        }

        if (ready() is { } parcel)
        {
            (_courier ??= new Courier(deliver)).Send(parcel, entity);
        }

        return WhileOut;
    }

    public void Returned() => _courier?.Returned();

    /// <summary>The journal refused something: what may have been the answer is asked for again, but not at once.</summary>
    public void Rejected() => _wasRejected = true;

    /// <summary>Whoever has the entity next sends it again.</summary>
    public void Stop() => _courier?.Stop();
}
