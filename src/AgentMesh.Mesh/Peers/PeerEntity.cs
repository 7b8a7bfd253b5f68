using System.Collections.Immutable;
using AgentMesh.Mesh.Sharding;
using Akka.Actor;
using Akka.Persistence;

namespace AgentMesh.Mesh.Peers;

/// <summary>
/// What this device remembers of another, whether it is there or not. Round-trip times are kept in memory only. A link that comes and goes leaves a
/// bounded journal: the view is its snapshot, and what came before is deleted.
/// </summary>
public sealed class PeerEntity : JournalledEntity<IPeerEvent>
{
    private const int EventsOfSnapshot = 50;

    private readonly TimeProvider _time;
    private readonly PeerId _id;
    private PeerView _view;

    public PeerEntity(PeerId id, TimeProvider time)
        : base(id.ToString(), time, EventsOfSnapshot)
    {
        _time = time;
        _id = id;
        _view = new PeerView(id, null, [], PeerConnectionState.Disconnected, null, null);
        Recover<SnapshotOffer>(offer => _view = (PeerView)offer.Snapshot);
        Recover<RecoveryCompleted>(_ => _view = _view with { State = PeerConnectionState.Disconnected, RoundTrip = null });
        Command<RecordPeerFacts>(OnFacts);
        Command<RecordPeerLink>(OnLink);
        Command<GetPeer>(_ => Sender.Tell(_view));
    }

    public static Props Create(PeerId id, TimeProvider time) => Props.Create(() => new PeerEntity(id, time));

    private void OnFacts(RecordPeerFacts facts)
    {
        IActorRef asker = Sender;
        bool isNews = !facts.Facts.Equals(_view.Facts) || facts.Addresses.Any(address => _view.Addresses.All(known => known.Text != address));
        if (!isNews)
        {
            asker.Tell(new PeerRecorded(_id));
            return;
        }

        Record(new PeerFactsEvent(_time.GetUtcNow(), facts.Facts, facts.Addresses), asker);
    }

    private void OnLink(RecordPeerLink link)
    {
        IActorRef asker = Sender;
        bool isNews = link.State != _view.State || (link.Address is { } address && (_view.Addresses.IsEmpty || _view.Addresses[0].Text != address));
        if (!isNews)
        {
            _view = _view with { RoundTrip = link.RoundTrip ?? _view.RoundTrip, LastSeenAt = link.State == PeerConnectionState.Connected ? link.At : _view.LastSeenAt };
            asker.Tell(new PeerRecorded(_id));
            return;
        }

        Record(new PeerLinkEvent(link.At, link.State, link.Address, link.RoundTrip), asker);
    }

    private void Record(IPeerEvent change, IActorRef asker) => Record(change, asker, _ => asker.Tell(new PeerRecorded(_id)));

    protected override object Snapshot() => _view;

    protected override void Apply(IPeerEvent change)
    {
        switch (change)
        {
            case PeerFactsEvent facts:
                _view = _view with { Facts = facts.Facts, Addresses = Merge(_view.Addresses, facts.Addresses.Select(text => new PeerAddress(text, null))) };
                break;
            case PeerLinkEvent link:
                bool isUp = link.State == PeerConnectionState.Connected;
                _view = _view with
                {
                    State = link.State,
                    RoundTrip = isUp ? link.RoundTrip : null,
                    LastSeenAt = isUp || _view.State == PeerConnectionState.Connected ? link.At : _view.LastSeenAt,
                    Addresses = isUp && link.Address is { } at ? Merge([new PeerAddress(at, link.At)], _view.Addresses) : _view.Addresses,
                };
                break;
        }
    }

    private static ImmutableArray<PeerAddress> Merge(IEnumerable<PeerAddress> first, IEnumerable<PeerAddress> then) =>
        [.. first.Concat(then).DistinctBy(address => address.Text, StringComparer.Ordinal).Take(PeerView.AddressesMax)];
}
