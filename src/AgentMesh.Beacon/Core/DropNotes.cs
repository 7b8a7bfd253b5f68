using AgentMesh.Beacon.Wire;

namespace AgentMesh.Beacon.Core;

/// <summary>Tells guests how many datagrams of theirs were dropped, on which channel, at most once a second each. Not thread-safe.</summary>
/// <param name="say">Puts a frame into a guest's outbox.</param>
internal sealed class DropNotes(Action<Guest, BeaconFrame> say)
{
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);

    private readonly HashSet<Guest> _dry = [];

    public void Note(ChannelEnd end, TimeSpan at)
    {
        end.Owner.Dropped[end.Id] = end.Owner.Dropped.GetValueOrDefault(end.Id) + 1;
        _dry.Add(end.Owner);
        Tell(end.Owner, at);
    }

    /// <summary>Tells the rest. To be called about once a second.</summary>
    public void HandleTimeout(TimeSpan at)
    {
        foreach (Guest guest in _dry.ToArray())
        {
            Tell(guest, at);
        }
    }

    public void Forget(Guest guest) => _dry.Remove(guest);

    private void Tell(Guest guest, TimeSpan at)
    {
        if (at < guest.MayTellAt)
        {
            return;
        }

        foreach ((ulong id, uint count) in guest.Dropped)
        {
            say(guest, new BeaconFrame(BeaconFrameType.Limited, id, Count: count));
        }

        guest.Dropped.Clear();
        guest.MayTellAt = at + TellEvery;
        _dry.Remove(guest);
    }
}
