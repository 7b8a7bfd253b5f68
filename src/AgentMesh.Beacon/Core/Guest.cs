using System.Net;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Beacon.Core;

/// <summary>One device at a beacon while its connection lasts.</summary>
internal sealed class Guest(DeviceId device, IPEndPoint address, ByteBucket allowance, IPAddress? source = null)
{
    public DeviceId Device => device;

    /// <summary>Proven: its handshake was answered from here, or it followed the other rules of a connection that moves.</summary>
    public IPEndPoint Address { get; set; } = address;

    /// <summary>The tunnel that its connection began over; null for none. It stays good beside an address that was proven later.</summary>
    public IPEndPoint? Tunnel { get; } = TunnelAddress.IsTunnel(address) ? address : null;

    /// <summary>Whose allowances it uses where those are for an address: that which its tunnel comes from, else its own.</summary>
    public IPAddress Source => source ?? Address.Address;

    public bool IsAt(IPEndPoint from) => from.Equals(Address) || from.Equals(Tunnel);

    public ByteBucket Allowance => allowance;

    /// <summary>Whom it wants to meet here.</summary>
    public HashSet<DeviceId> Wanted { get; set; } = [];

    /// <summary>Secrets that it shares with devices it does not know yet: those of invitations.</summary>
    public HashSet<UInt128> Meetings { get; set; } = [];

    public Dictionary<DeviceId, ChannelEnd> Channels { get; } = [];

    /// <summary>Where it is asked for codes that it made.</summary>
    public List<CodeDesk.Place> CodePlaces { get; } = [];

    /// <summary>Where it asks for codes that it was told.</summary>
    public Dictionary<UInt128, CodeDesk.Call> CodeCalls { get; } = [];

    /// <summary>Frames that wait to be sent.</summary>
    public Queue<BeaconFrame> Outbox { get; } = new();

    public bool IsWelcomed { get; set; }

    /// <summary>Datagrams of each channel that were dropped for the allowance, not told yet.</summary>
    public Dictionary<ulong, uint> Dropped { get; } = [];

    public TimeSpan MayTellAt { get; set; }

    /// <summary>Opens the observer while the connection lasts; 0 where there is none.</summary>
    public UInt128 Ticket { get; set; }

    /// <summary>Questions to the observer; filled when the first one comes.</summary>
    public ByteBucket? Observations { get; set; }

    /// <summary>Questions about where others are.</summary>
    public ByteBucket? Confirmations { get; set; }
}

/// <summary>What one of both devices of a channel uses.</summary>
internal sealed class ChannelEnd(ulong id, Guest owner)
{
    public ulong Id => id;

    public Guest Owner => owner;

    public ChannelEnd Other { get; set; } = null!;
}
