using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Peers;

/// <summary><c>peer/HOME/DEVICE</c>: what one device (the home) remembers of another. <c>default</c> is none.</summary>
public readonly record struct PeerId
{
    public const string Prefix = "peer/";

    public PeerId(DeviceId home, DeviceId device)
    {
        Invariant.Check(!home.IsNone && !device.IsNone);
        Home = home;
        Device = device;
    }

    public DeviceId Home { get; }

    public DeviceId Device { get; }

    public static bool TryParse(string text, out PeerId id)
    {
        id = default;
        if (!HomePath.TryParse(text, Prefix, out HomeId home, out string? name) || home.IsPool || !DeviceId.TryParse(name, out DeviceId device))
        {
            return false;
        }

        id = new PeerId(home.Device, device);
        return true;
    }

    public override string ToString() => $"{Prefix}{Home}/{Device}";
}

/// <summary>The numbers are on disk and on the wire; the names are what interfaces print, in lower case.</summary>
public enum PeerConnectionState
{
    Disconnected = 1,
    Connecting = 2,
    Connected = 3,
    Failed = 4,
}

/// <summary>A message to the entity of a peer, or from it.</summary>
public interface IPeerMessage
{
    PeerId PeerId { get; }
}

/// <param name="Name">Of the registry.</param>
/// <param name="Capabilities">What the device says it offers; at most <see cref="CapabilitiesMax"/>.</param>
/// <param name="Platform">For example <c>linux-x64</c>.</param>
public sealed record PeerFacts(string Name, DevicePublicKey PublicKey, ImmutableArray<string> Capabilities, string Platform, string HostName)
{
    public const int CapabilitiesMax = 64;

    public bool Equals(PeerFacts? other) =>
        other is not null && Name == other.Name && PublicKey == other.PublicKey && Platform == other.Platform && HostName == other.HostName
        && Capabilities.AsSpan().SequenceEqual(other.Capabilities.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name, PublicKey, Platform, HostName);
}

/// <summary>An address at which the device was, or says it is.</summary>
public sealed record PeerAddress(string Text, DateTimeOffset? LastSuccessAt);

/// <summary>Answered with <see cref="PeerRecorded"/> when it is on disk; writes nothing when it changes nothing.</summary>
public sealed record RecordPeerFacts(PeerId PeerId, PeerFacts Facts, ImmutableArray<string> Addresses) : IPeerMessage;

/// <summary>A change of the link. Answered with <see cref="PeerRecorded"/>. Only changes of state and of the address are journalled; round-trip times are not.</summary>
/// <param name="Address">The remote address in use.</param>
public sealed record RecordPeerLink(PeerId PeerId, PeerConnectionState State, DateTimeOffset At, string? Address, TimeSpan? RoundTrip) : IPeerMessage;

public sealed record PeerRecorded(PeerId PeerId) : IPeerMessage;

/// <summary>Answered with <see cref="PeerView"/>.</summary>
public sealed record GetPeer(PeerId PeerId) : IPeerMessage;

/// <param name="Facts">Null when nothing was ever recorded.</param>
/// <param name="Addresses">The most recently successful first; at most <see cref="AddressesMax"/>.</param>
/// <param name="RoundTrip">Of the last measurement; null when unknown.</param>
/// <param name="LastSeenAt">When the link was last known to be up; null for never.</param>
public sealed record PeerView(PeerId PeerId, PeerFacts? Facts, ImmutableArray<PeerAddress> Addresses, PeerConnectionState State, TimeSpan? RoundTrip, DateTimeOffset? LastSeenAt) : IPeerMessage
{
    public const int AddressesMax = 16;

    public bool Equals(PeerView? other) =>
        other is not null && PeerId == other.PeerId && Facts == other.Facts && State == other.State && RoundTrip == other.RoundTrip && LastSeenAt == other.LastSeenAt
        && Addresses.AsSpan().SequenceEqual(other.Addresses.AsSpan());

    public override int GetHashCode() => HashCode.Combine(PeerId, State, LastSeenAt);
}

public interface IPeerEvent
{
    DateTimeOffset At { get; }
}

public sealed record PeerFactsEvent(DateTimeOffset At, PeerFacts Facts, ImmutableArray<string> Addresses) : IPeerEvent;

public sealed record PeerLinkEvent(DateTimeOffset At, PeerConnectionState State, string? Address, TimeSpan? RoundTrip) : IPeerEvent;
