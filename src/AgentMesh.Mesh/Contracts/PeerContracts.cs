using AgentMesh.Mesh.Peers;
using AgentMesh.Protocol.Identity;
using Google.Protobuf;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Messages and events about peers.</summary>
internal static class PeerContracts
{
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;

    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of<RecordPeerFacts, Wire.RecordPeerFacts>(
            "peer.record-facts.1",
            Wire.RecordPeerFacts.Parser,
            m => new Wire.RecordPeerFacts { Peer = m.PeerId.ToString(), Facts = ToWire(m.Facts), Addresses = { m.Addresses } },
            w => new RecordPeerFacts(ToPeerId(w.Peer), FromWire(w.Facts), [.. w.Addresses])),
        Contract.Of<RecordPeerLink, Wire.RecordPeerLink>("peer.record-link.1", Wire.RecordPeerLink.Parser, WriteLink, ReadLink),
        Contract.Of("peer.get.1", Wire.GetPeer.Parser, (GetPeer m) => new Wire.GetPeer { Peer = m.PeerId.ToString() }, w => new GetPeer(ToPeerId(w.Peer))),
        Contract.Of("peer.recorded.1", Wire.PeerRecorded.Parser, (PeerRecorded m) => new Wire.PeerRecorded { Peer = m.PeerId.ToString() }, w => new PeerRecorded(ToPeerId(w.Peer))),
        Contract.Of<PeerView, Wire.PeerView>("peer.view.1", Wire.PeerView.Parser, WriteView, ReadView),
        Contract.Of<PeerFactsEvent, Wire.PeerFactsEvent>(
            "peer-event.facts.1",
            Wire.PeerFactsEvent.Parser,
            m => new Wire.PeerFactsEvent { At = WireParts.ToWire(m.At), Facts = ToWire(m.Facts), Addresses = { m.Addresses } },
            w => new PeerFactsEvent(ToTime(w.At), FromWire(w.Facts), [.. w.Addresses])),
        Contract.Of<PeerLinkEvent, Wire.PeerLinkEvent>("peer-event.link.1", Wire.PeerLinkEvent.Parser, WriteLinkEvent, ReadLinkEvent),
    ];

    private static PeerId ToPeerId(string text) => PeerId.TryParse(text, out PeerId id) ? id : throw new ContractException("no peer id");

    private static Wire.PeerFacts ToWire(PeerFacts facts) => new()
    {
        Name = facts.Name,
        PublicKey = ByteString.CopyFrom(facts.PublicKey.Span),
        Capabilities = { facts.Capabilities },
        Platform = facts.Platform,
        HostName = facts.HostName,
    };

    private static PeerFacts FromWire(Wire.PeerFacts? wire)
    {
        ReadOnlySpan<byte> key = Required(wire).PublicKey.Span;
        return key.Length == DevicePublicKey.Size && wire!.Capabilities.Count <= PeerFacts.CapabilitiesMax
            ? new PeerFacts(wire.Name, new DevicePublicKey(key), [.. wire.Capabilities], wire.Platform, wire.HostName)
            : throw new ContractException("facts of a peer without its key, or with too many capabilities");
    }

    private static long ToWireRoundTrip(TimeSpan span) => span.Ticks / TicksPerMicrosecond;

    private static TimeSpan ToRoundTrip(long microseconds) => microseconds is >= 0 and <= long.MaxValue / TicksPerMicrosecond
        ? TimeSpan.FromTicks(microseconds * TicksPerMicrosecond)
        : throw new ContractException("no round-trip time");

    private static Wire.RecordPeerLink WriteLink(RecordPeerLink m)
    {
        var wire = new Wire.RecordPeerLink { Peer = m.PeerId.ToString(), State = (int)m.State, At = WireParts.ToWire(m.At) };
        if (m.Address is { } address)
        {
            wire.Address = address;
        }

        if (m.RoundTrip is { } roundTrip)
        {
            wire.RttMicroseconds = ToWireRoundTrip(roundTrip);
        }

        return wire;
    }

    private static RecordPeerLink ReadLink(Wire.RecordPeerLink w) => new(
        ToPeerId(w.Peer),
        ToEnum<PeerConnectionState>(w.State),
        ToTime(w.At),
        w.HasAddress ? w.Address : null,
        w.HasRttMicroseconds ? ToRoundTrip(w.RttMicroseconds) : null);

    private static Wire.PeerLinkEvent WriteLinkEvent(PeerLinkEvent m)
    {
        var wire = new Wire.PeerLinkEvent { At = WireParts.ToWire(m.At), State = (int)m.State };
        if (m.Address is { } address)
        {
            wire.Address = address;
        }

        if (m.RoundTrip is { } roundTrip)
        {
            wire.RttMicroseconds = ToWireRoundTrip(roundTrip);
        }

        return wire;
    }

    private static PeerLinkEvent ReadLinkEvent(Wire.PeerLinkEvent w) =>
        new(ToTime(w.At), ToEnum<PeerConnectionState>(w.State), w.HasAddress ? w.Address : null, w.HasRttMicroseconds ? ToRoundTrip(w.RttMicroseconds) : null);

    private static Wire.PeerView WriteView(PeerView m)
    {
        var wire = new Wire.PeerView { Peer = m.PeerId.ToString(), State = (int)m.State, Facts = m.Facts is { } facts ? ToWire(facts) : null };
        foreach (PeerAddress address in m.Addresses)
        {
            var each = new Wire.PeerAddress { Text = address.Text };
            if (address.LastSuccessAt is { } success)
            {
                each.LastSuccessAt = WireParts.ToWire(success);
            }

            wire.Addresses.Add(each);
        }

        if (m.RoundTrip is { } roundTrip)
        {
            wire.RttMicroseconds = ToWireRoundTrip(roundTrip);
        }

        if (m.LastSeenAt is { } seen)
        {
            wire.LastSeenAt = WireParts.ToWire(seen);
        }

        return wire;
    }

    private static PeerView ReadView(Wire.PeerView w) => new(
        ToPeerId(w.Peer),
        w.Facts is null ? null : FromWire(w.Facts),
        [.. w.Addresses.Select(each => new PeerAddress(each.Text, each.HasLastSuccessAt ? ToTime(each.LastSuccessAt) : null))],
        ToEnum<PeerConnectionState>(w.State),
        w.HasRttMicroseconds ? ToRoundTrip(w.RttMicroseconds) : null,
        w.HasLastSeenAt ? ToTime(w.LastSeenAt) : null);
}
