using AgentMesh.Beacon.Wire;

namespace AgentMesh.Beacon.Core;

/// <summary>What became of a place that a device asked for: the status of CodePlace.</summary>
internal enum CodePlaceStatus
{
    TakenIn = 1,

    /// <summary>Another device has it.</summary>
    Occupied = 2,

    /// <summary>Too many places, of all or of this address.</summary>
    NoRoom = 3,

    /// <summary>Its ten minutes are over.</summary>
    Over = 4,
}

/// <summary>Why a message went nowhere: the reason of CodeNobody.</summary>
internal enum CodeNobodyReason
{
    Nobody = 1,
    Limited = 2,
}

/// <summary>
/// Where devices that know nothing of each other but a code exchange the messages of pairing-v1 (beacon-v1.md, "Codes"). The beacon sees the place, which follows from the
/// public part of the code, and passes few messages on; what they prove, and that one wrong guess ends a code, is between the devices. Not thread-safe.
/// <code>
/// Place: free --named by a device--> taken in --10 minutes--> over --named no more, device left--> free
/// Call:  none --first message of a device to a place--> open --the place or either device gone--> none
/// </code>
/// </summary>
internal sealed class CodeDesk(BeaconLimits limits, Action<Guest, BeaconFrame> say)
{
    // An address may name 64 places at once and 6 more a minute, and call 20 times at once and 6 times a minute more. In tenths of an act.
    private const int ActCost = 10;
    private const int PlacesBurst = 64 * ActCost;
    private const int CallsBurst = 20 * ActCost;

    // Who calls may not fill the frames that wait for the device that is called.
    private const int WaitingMax = 256;

    private static readonly TimeSpan PlaceLife = TimeSpan.FromMinutes(10);

    private readonly Dictionary<UInt128, Place> _places = [];
    private readonly Dictionary<uint, Call> _calls = [];
    private readonly CodeAllowances _naming = new(PlacesBurst, limits.CodeSourcesMax);
    private readonly CodeAllowances _calling = new(CallsBurst, limits.CodeSourcesMax);
    private uint _lastCaller;
    private long _messages;
    private long _limited;

    public CodeCounters Counters => new(_places.Count, _calls.Count, _messages, _limited);

    /// <summary>A device says at which places it is to be asked from now on.</summary>
    public void Name(Guest guest, IReadOnlyList<UInt128> named, TimeSpan at)
    {
        foreach (Place gone in guest.CodePlaces.Where(place => !named.Contains(place.Id)).ToArray())
        {
            Free(gone);
        }

        foreach (UInt128 id in named.Distinct())
        {
            say(guest, new BeaconFrame(BeaconFrameType.CodePlace, Count: (uint)NameOne(guest, id, at), Meetings: [id]));
        }
    }

    /// <summary>A message from who was told a code.</summary>
    public void Ask(Guest guest, UInt128 id, byte[] message, TimeSpan at)
    {
        if (!guest.CodeCalls.TryGetValue(id, out Call? call))
        {
            if (!_calling.TryTake(guest.Source, ActCost, at))
            {
                Refuse(guest, id, CodeNobodyReason.Limited);
                return;
            }

            if (!_places.TryGetValue(id, out Place? place) || IsOver(place, at))
            {
                Refuse(guest, id, CodeNobodyReason.Nobody);
                return;
            }

            if (ReferenceEquals(place.Owner, guest) || place.CallsEver >= limits.CallsPerCodePlace || guest.CodeCalls.Count >= BeaconFrame.CodePlacesMax || _calls.Count >= limits.CodeCallsMax)
            {
                Refuse(guest, id, CodeNobodyReason.Limited);
                return;
            }

            call = Open(guest, place);
        }

        if (IsOver(call.Place, at))
        {
            Refuse(guest, id, CodeNobodyReason.Nobody);
        }
        else if (call.Asked++ >= limits.MessagesPerCodeCall || call.Place.Owner.Outbox.Count >= WaitingMax)
        {
            Refuse(guest, id, CodeNobodyReason.Limited);
        }
        else
        {
            _messages++;
            say(call.Place.Owner, new BeaconFrame(BeaconFrameType.CodeAsked, Count: call.Number, Message: message));
        }
    }

    /// <summary>A message from who made the code, to one that asked it.</summary>
    public void Answer(Guest guest, uint caller, byte[] message, TimeSpan at)
    {
        if (!_calls.TryGetValue(caller, out Call? call) || !ReferenceEquals(call.Place.Owner, guest) || IsOver(call.Place, at))
        {
            return;
        }

        if (call.Answered++ >= limits.MessagesPerCodeCall)
        {
            _limited++;
            return;
        }

        _messages++;
        say(call.Guest, new BeaconFrame(BeaconFrameType.CodeAnswered, Meetings: [call.Place.Id], Message: message));
    }

    public void Leave(Guest guest)
    {
        foreach (Place place in guest.CodePlaces.ToArray())
        {
            Free(place);
        }

        foreach (Call call in guest.CodeCalls.Values.ToArray())
        {
            Close(call);
        }
    }

    private CodePlaceStatus NameOne(Guest guest, UInt128 id, TimeSpan at)
    {
        if (_places.TryGetValue(id, out Place? present))
        {
            return !ReferenceEquals(present.Owner, guest) ? CodePlaceStatus.Occupied : IsOver(present, at) ? CodePlaceStatus.Over : CodePlaceStatus.TakenIn;
        }

        if (_places.Count >= limits.CodePlacesMax || !_naming.TryTake(guest.Source, ActCost, at))
        {
            _limited++;
            return CodePlaceStatus.NoRoom;
        }

        var place = new Place(id, guest, at + PlaceLife);
        _places.Add(id, place);
        guest.CodePlaces.Add(place);
        return CodePlaceStatus.TakenIn;
    }

    // A place that is over stays until its device names it no more, so that naming it again does not make it young.
    private static bool IsOver(Place place, TimeSpan at) => at >= place.Until;

    private Call Open(Guest guest, Place place)
    {
        do
        {
            _lastCaller++;
        }
        while (_calls.ContainsKey(_lastCaller));

        var call = new Call(_lastCaller, guest, place);
        _calls.Add(call.Number, call);
        guest.CodeCalls.Add(place.Id, call);
        place.Calls.Add(call);
        place.CallsEver++;
        return call;
    }

    private void Free(Place place)
    {
        _places.Remove(place.Id);
        place.Owner.CodePlaces.Remove(place);
        foreach (Call call in place.Calls.ToArray())
        {
            Close(call);
        }
    }

    private void Close(Call call)
    {
        _calls.Remove(call.Number);
        call.Guest.CodeCalls.Remove(call.Place.Id);
        call.Place.Calls.Remove(call);
    }

    private void Refuse(Guest guest, UInt128 id, CodeNobodyReason why)
    {
        _limited += why == CodeNobodyReason.Limited ? 1 : 0;
        say(guest, new BeaconFrame(BeaconFrameType.CodeNobody, Count: (uint)why, Meetings: [id]));
    }

    /// <summary>Where one device is asked for a code.</summary>
    internal sealed class Place(UInt128 id, Guest owner, TimeSpan until)
    {
        public UInt128 Id => id;

        public Guest Owner => owner;

        public TimeSpan Until => until;

        public HashSet<Call> Calls { get; } = [];

        public int CallsEver { get; set; }
    }

    /// <summary>One device at another one's place.</summary>
    internal sealed class Call(uint number, Guest guest, Place place)
    {
        public uint Number => number;

        public Guest Guest => guest;

        public Place Place => place;

        public int Asked { get; set; }

        public int Answered { get; set; }
    }
}

/// <summary>What passed a beacon for codes since it started, and what there is now.</summary>
/// <param name="Limited">Places and messages refused because a limit was reached.</param>
public sealed record CodeCounters(int Places, int Calls, long Messages, long Limited);
