using System.Net;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Beacon.Core;

/// <summary>
/// What a beacon knows and decides, without socket, clock or task. Devices come with an authenticated connection and name those they want to meet; two that have named each
/// other, or the same secret meeting, get a channel. Nobody learns of another device, or of its address, in any other way. Not thread-safe.
/// <code>
/// event                        for the device                 for others
/// hello                        welcome, channel per match     channel per match
/// hello with fewer devices     gone per device left out       gone
/// left, replaced               -                              gone
/// relayed datagram             limited, when it has no more   the datagram
/// </code>
/// </summary>
internal sealed class BeaconCore
{
    private readonly Dictionary<DeviceId, Guest> _guests = [];
    private readonly Dictionary<ulong, ChannelEnd> _ends = [];
    private readonly MeetingPlaces _meetings = new();
    private readonly Dictionary<UInt128, Guest> _tickets = [];
    private readonly DropNotes _drops;
    private readonly BeaconLimits _limits;
    private readonly ChannelIds _ids;
    private readonly ByteBucket _notices;
    private readonly CodeDesk _codes;
    private readonly HashSet<IPEndPoint> _tunnels = [];
    private readonly ByteBucket? _total;
    private readonly FairQueue<Guest> _waiting;
    private long _crowded;
    private long _relayed;
    private long _bytes;
    private long _limited;
    private long _wrongAddress;
    private long _unknown;
    private long _told;
    private long _refused;
    private long _channelsRefused;

    public BeaconCore(BeaconLimits limits, ChannelIds ids, TimeSpan now)
    {
        _limits = limits;
        _ids = ids;
        _notices = new ByteBucket(limits.NoticesPerSecond, limits.NoticesPerSecond, now);
        _codes = new CodeDesk(limits, Say);
        _drops = new DropNotes(Say);

        // A fiftieth of a second at once, but not less than a few datagrams.
        _total = limits.TotalBytesPerSecond > 0 ? new ByteBucket(Math.Max(16 * 1024, limits.TotalBytesPerSecond / 50), limits.TotalBytesPerSecond, now) : null;
        _waiting = new FairQueue<Guest>(limits.WaitingBytesOfEach, limits.WaitingBytes);
    }

    /// <summary>A guest's outbox is no longer empty.</summary>
    public event Action<Guest>? HasFrames;

    /// <summary>The port of the observer; 0 where there is none.</summary>
    public int ObserverPort { get; init; }

    public BeaconCounters Counters => new(_guests.Count, _ends.Count / 2, _relayed, _bytes, _limited, _wrongAddress, _unknown, _told, _refused, _channelsRefused) { Codes = _codes.Counters, Crowded = _crowded };

    /// <summary>Datagrams wait for <see cref="TryNext"/>.</summary>
    public bool HasWaiting => !_waiting.IsEmpty;

    /// <summary>The connection of a device began over this tunnel.</summary>
    public bool IsInUse(IPEndPoint tunnel) => _tunnels.Contains(tunnel);

    /// <summary>A device has an authenticated connection; an earlier one of it counts no more. Null when the beacon is full.</summary>
    public Guest? TryEnter(DeviceId device, IPEndPoint address, TimeSpan at, IPAddress? source = null)
    {
        if (_guests.TryGetValue(device, out Guest? before))
        {
            Leave(before);
        }
        else if (_guests.Count >= _limits.DevicesMax)
        {
            _refused++;
            return null;
        }

        var guest = new Guest(device, address, new ByteBucket(_limits.BurstBytes, _limits.BytesPerSecond, at), source);
        _guests.Add(device, guest);
        if (guest.Tunnel is { } tunnel)
        {
            _tunnels.Add(tunnel);
        }

        return guest;
    }

    public void Leave(Guest guest)
    {
        if (!_guests.TryGetValue(guest.Device, out Guest? present) || !ReferenceEquals(present, guest))
        {
            return;
        }

        _guests.Remove(guest.Device);
        if (guest.Tunnel is { } tunnel)
        {
            _tunnels.Remove(tunnel);
        }

        _drops.Forget(guest);
        _tickets.Remove(guest.Ticket);
        _waiting.Remove(guest);
        _meetings.Leave(guest);
        _codes.Leave(guest);
        foreach (ChannelEnd end in guest.Channels.Values.ToArray())
        {
            Close(end);
        }
    }

    /// <summary>Its connection has moved.</summary>
    public void Moved(Guest guest, IPEndPoint address)
    {
        if (!guest.Address.Equals(address))
        {
            guest.Address = address;
            if (guest.IsWelcomed)
            {
                Say(guest, new BeaconFrame(BeaconFrameType.Observed, Address: address));
            }
        }
    }

    /// <returns>False when the connection has to end.</returns>
    public bool Handle(Guest guest, BeaconFrame frame, TimeSpan at)
    {
        switch (frame.Type)
        {
            case BeaconFrameType.Hello:
                Welcome(guest, frame.Devices!, frame.Meetings ?? []);
                break;
            case BeaconFrameType.Ping:
                Say(guest, frame with { Type = BeaconFrameType.Pong });
                break;
            case BeaconFrameType.Confirm:
                Confirm(guest, frame, at);
                break;
            case BeaconFrameType.CodePlaces when guest.IsWelcomed:
                _codes.Name(guest, frame.Meetings!, at);
                break;
            case BeaconFrameType.CodeAsk when guest.IsWelcomed:
                _codes.Ask(guest, frame.Meetings![0], frame.Message!, at);
                break;
            case BeaconFrameType.CodeAnswer when guest.IsWelcomed:
                _codes.Answer(guest, frame.Count, frame.Message!, at);
                break;
            default:
                // A newer device may say more than this version understands.
                break;
        }

        return guest.Outbox.Count <= _limits.FramesMax;
    }

    /// <summary>
    /// A datagram in its envelope. It goes on, with the other end's channel in its envelope, exactly as long as it came and only to an address that a device has proven;
    /// or the first <see cref="RelayEnvelope.NoticeBytes"/> of it become a notice to its sender; or nothing is sent.
    /// </summary>
    /// <returns>How many bytes to send to <paramref name="to"/>; 0 for none.</returns>
    public int Relay(Span<byte> envelope, IPEndPoint from, TimeSpan at, out IPEndPoint to)
    {
        to = from;
        if (!RelayEnvelope.TryRead(envelope, out ulong id))
        {
            _unknown++;
            return 0;
        }

        if (!_ends.TryGetValue(id, out ChannelEnd? end))
        {
            _unknown++;
            return _ids.IsOurs(id) && MayNotice(at) ? Notice(envelope, id) : 0;
        }

        if (!end.Owner.IsAt(from))
        {
            // The device itself, perhaps, whose NAT has given it another port without a word: told so, it asks, and its question shows where it is now.
            _wrongAddress++;
            return MayNotice(at) ? Notice(envelope, id) : 0;
        }

        if (!end.Owner.Allowance.TryTake(envelope.Length, at))
        {
            _limited++;
            _drops.Note(end, at);
            return 0;
        }

        RelayEnvelope.Readdress(envelope, end.Other.Id);
        if (_total is not null && (!_waiting.IsEmpty || !_total.TryTake(envelope.Length, at)))
        {
            if (!_waiting.TryEnqueue(end.Owner, envelope.ToArray()))
            {
                _crowded++;
                _drops.Note(end, at);
            }

            return 0;
        }

        _relayed++;
        _bytes += envelope.Length;
        to = end.Other.Owner.Address;
        return envelope.Length;
    }

    /// <summary>Whether the observer answers who shows this ticket.</summary>
    public bool MayObserve(UInt128 ticket, TimeSpan at) =>
        _tickets.TryGetValue(ticket, out Guest? guest) && (guest.Observations ??= new ByteBucket(_limits.ObservationsMax, _limits.ObservationsMax / 10, at)).TryTake(1, at);

    /// <summary>The next datagram that waited and may go now; the devices are served in turn. To be called, while <see cref="HasWaiting"/>, every few milliseconds until it is false.</summary>
    public bool TryNext(TimeSpan at, out byte[] envelope, out IPEndPoint to)
    {
        while (_waiting.TryDequeue(length => _total!.TryTake(length, at), out _, out envelope))
        {
            if (RelayEnvelope.TryRead(envelope, out ulong id) && _ends.TryGetValue(id, out ChannelEnd? end))
            {
                _relayed++;
                _bytes += envelope.Length;
                to = end.Owner.Address;
                return true;
            }
        }

        to = null!;
        return false;
    }

    /// <summary>Tells the rest of what was dropped. To be called about once a second.</summary>
    public void HandleTimeout(TimeSpan at) => _drops.HandleTimeout(at);

    // Only about who it shares a channel with, whom it could ask as well: this is to know that the answer is true.
    private void Confirm(Guest guest, BeaconFrame frame, TimeSpan at)
    {
        guest.Confirmations ??= new ByteBucket(_limits.ConfirmationsMax, 1, at);
        if (_ends.TryGetValue(frame.Value, out ChannelEnd? end) && ReferenceEquals(end.Owner, guest) && guest.Confirmations.TryTake(1, at))
        {
            bool isThere = end.Other.Owner.Address.Address.Equals(frame.Address!.Address);
            Say(guest, frame with { Type = BeaconFrameType.Confirmed, Count = isThere ? 1u : 0 });
        }
    }

    private bool MayNotice(TimeSpan at) => _notices.TryTake(1, at);

    private int Notice(Span<byte> envelope, ulong id)
    {
        _told++;
        return RelayEnvelope.WriteNotice(envelope, id);
    }

    private void Welcome(Guest guest, IReadOnlyList<DeviceId> wanted, IReadOnlyList<UInt128> meetings)
    {
        if (!guest.IsWelcomed)
        {
            guest.IsWelcomed = true;
            Say(guest, new BeaconFrame(BeaconFrameType.Welcome, (ulong)_limits.BytesPerSecond, guest.Address));
            if (ObserverPort != 0)
            {
                _tickets[guest.Ticket = _ids.NextTicket()] = guest;
                Say(guest, new BeaconFrame(BeaconFrameType.Observer, Count: (uint)ObserverPort, Meetings: [guest.Ticket]));
            }
        }

        guest.Wanted = [.. wanted.Where(device => device != guest.Device)];
        _meetings.Leave(guest);
        guest.Meetings = [.. meetings];
        foreach (ChannelEnd end in guest.Channels.Values.Where(end => !WantEachOther(guest, end.Other.Owner)).ToArray())
        {
            Close(end);
        }

        foreach (DeviceId device in guest.Wanted)
        {
            if (_guests.TryGetValue(device, out Guest? other) && WantEachOther(guest, other))
            {
                Open(guest, other);
            }
        }

        foreach (UInt128 meeting in guest.Meetings.ToArray())
        {
            foreach (Guest other in _meetings.Join(guest, meeting))
            {
                Open(guest, other);
            }
        }
    }

    private static bool WantEachOther(Guest one, Guest other) =>
        (one.Wanted.Contains(other.Device) && other.Wanted.Contains(one.Device)) || one.Meetings.Overlaps(other.Meetings);

    private void Open(Guest one, Guest other)
    {
        if (one.Channels.ContainsKey(other.Device))
        {
            return;
        }

        if (_ends.Count / 2 >= _limits.ChannelsMax)
        {
            _channelsRefused++;
            return;
        }

        ChannelEnd first = NewEnd(one), second = NewEnd(other);
        (first.Other, second.Other) = (second, first);
        one.Channels.Add(other.Device, first);
        other.Channels.Add(one.Device, second);
        Say(one, new BeaconFrame(BeaconFrameType.Channel, first.Id, Devices: [other.Device]));
        Say(other, new BeaconFrame(BeaconFrameType.Channel, second.Id, Devices: [one.Device]));
    }

    private ChannelEnd NewEnd(Guest owner)
    {
        ChannelEnd end;
        do
        {
            end = new ChannelEnd(_ids.Next(), owner);
        }
        while (!_ends.TryAdd(end.Id, end));
        return end;
    }

    private void Close(ChannelEnd end)
    {
        Remove(end, end.Other.Owner.Device);
        Remove(end.Other, end.Owner.Device);
    }

    private void Remove(ChannelEnd end, DeviceId other)
    {
        _ends.Remove(end.Id);
        end.Owner.Channels.Remove(other);
        end.Owner.Dropped.Remove(end.Id);
        Say(end.Owner, new BeaconFrame(BeaconFrameType.Gone, end.Id));
    }

    private void Say(Guest guest, BeaconFrame frame)
    {
        // One more than may wait: who does not take its frames is found by that and sent away.
        if (guest.Outbox.Count <= _limits.FramesMax)
        {
            guest.Outbox.Enqueue(frame);
        }

        HasFrames?.Invoke(guest);
    }
}
