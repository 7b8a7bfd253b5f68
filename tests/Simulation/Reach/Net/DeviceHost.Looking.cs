using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Relaying;

namespace Simulation.Reach.Net;

/// <content>Dials the other device wherever it may be, and finds it on local links.</content>
internal sealed partial class DeviceHost
{
    // Those of the node.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(4), RetryMin = TimeSpan.FromMilliseconds(500), RetryMax = TimeSpan.FromSeconds(10), AnnounceEvery = TimeSpan.FromSeconds(60);

    private readonly LanListener _listener = new();
    private AnnouncementSchedule? _announcements;
    private LanAnnouncer? _announcer;
    private TimeSpan _retry = RetryMin;
    private int _dial;

    /// <summary>Where the other device may be; null where it is looked for over the beacon only.</summary>
    public KnownPlace? Known { get; set; }

    /// <summary>Announces itself on its links, and listens there.</summary>
    public void Announce()
    {
        _listener.Admit([_other!.Identity.PublicKey]);
        _announcer = new LanAnnouncer(Identity);
        _announcements = new AnnouncementSchedule(AnnounceEvery, Entropy, Now);
        GoOnAnnouncing();
    }

    public override void HearMulticast(byte[] datagram, IPAddress from)
    {
        if (_listener.Handle(datagram, from, new MeshInstant(Now, Net.WallNow), out LanSighting sighting) != LanOutcome.Accepted)
        {
            return;
        }

        if (sighting.WantsAnswer)
        {
            _announcements?.Answer(Now);
            GoOnAnnouncing();
        }

        if (Peer is null)
        {
            Known = Known?.Announced(sighting.At);
            _retry = RetryMin;
            DialPeer();
        }
    }

    private void GoOnAnnouncing()
    {
        while (_announcements!.TryTake(Now, out bool wantsAnswer))
        {
            Net.Links.Multicast(this, source => _announcer!.Announce(source, Port, wantsAnswer, Net.WallNow));
        }

        TimeSpan next = _announcements.Next;
        After(next - Now, () =>
        {
            if (next <= Now && next == _announcements.Next)
            {
                GoOnAnnouncing();
            }
        });
    }

    private void DialPeer()
    {
        IPEndPoint[] ways = [.. _channel is { } id ? [RelayAddress.Of(id)] : Array.Empty<IPEndPoint>(), .. Known?.Addresses.Where(address => !IsOwn(address)) ?? []];
        if (Peer is not null || !_dials || ways.Length == 0)
        {
            return;
        }

        int dial = ++_dial;
        if (Known is null)
        {
            Dial(_other!.Identity.PublicKey, ways);
        }
        else
        {
            Open(_other!.Identity.PublicKey, ways);
            After(ConnectTimeout, () => Again(dial));
        }
    }

    private void Again(int dial)
    {
        if (dial != _dial || Peer is not null)
        {
            return;
        }

        GiveUp(_other!.Identity.PublicKey);
        TimeSpan wait = _retry;
        _retry = 2 * wait < RetryMax ? 2 * wait : RetryMax;
        After(wait, () =>
        {
            if (dial == _dial)
            {
                DialPeer();
            }
        });
    }
}
