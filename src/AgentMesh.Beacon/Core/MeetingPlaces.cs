namespace AgentMesh.Beacon.Core;

/// <summary>Who has named which secret meeting. Bounded by what guests may name. Not thread-safe.</summary>
internal sealed class MeetingPlaces
{
    // The device that invited and those that try to join by it: one of them will.
    private const int DevicesMax = 8;

    private readonly Dictionary<UInt128, List<Guest>> _meetings = [];

    /// <returns>Those that are there already. Where there are too many, the guest has not named it.</returns>
    public IReadOnlyList<Guest> Join(Guest guest, UInt128 meeting)
    {
        if (!_meetings.TryGetValue(meeting, out List<Guest>? present))
        {
            _meetings.Add(meeting, present = []);
        }

        if (present.Count >= DevicesMax)
        {
            guest.Meetings.Remove(meeting);
            return [];
        }

        Guest[] others = [.. present];
        present.Add(guest);
        return others;
    }

    public void Leave(Guest guest)
    {
        foreach (UInt128 meeting in guest.Meetings)
        {
            if (_meetings.TryGetValue(meeting, out List<Guest>? present) && present.Remove(guest) && present.Count == 0)
            {
                _meetings.Remove(meeting);
            }
        }
    }
}
