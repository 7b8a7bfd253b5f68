using System.Net;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Discovery;

/// <summary>What became of a datagram on the port of announcements.</summary>
internal enum LanOutcome
{
    Accepted,

    /// <summary>No announcement of this version.</summary>
    Malformed,

    /// <summary>The tag is nobody's who is admitted: another mesh, this device itself, noise.</summary>
    Stranger,

    /// <summary>An allowance is used up.</summary>
    Limited,

    /// <summary>The MAC or the signature is wrong, or the source address is not the one that was signed.</summary>
    Forged,

    /// <summary>Accepted before, or older than what is remembered.</summary>
    Replayed,
}

/// <param name="At">Where its endpoint is: the source address of the announcement with the port in it.</param>
internal readonly record struct LanSighting(DeviceId Device, IPEndPoint At, bool WantsAnswer);

/// <summary>
/// Tells the announcements of admitted devices from everything else that arrives, in the order of lan-v1.md: cheap checks first, so that strangers cost a look-up,
/// copies a hash, and only a device's own announcements a signature. Not thread-safe.
/// </summary>
internal sealed class LanListener
{
    private static readonly TimeSpan StampsKeptFor = TimeSpan.FromMinutes(10);

    private readonly LanTags _tags = new();
    private readonly SourceAllowances _sources = new();
    private readonly TokenBucket _hashes = new(burst: 2_000, perSecond: 1_000);
    private readonly TokenBucket _signatures = new(burst: 2_000, perSecond: 200);
    private Dictionary<DevicePublicKey, Heard> _devices = [];

    /// <summary>Signatures checked so far, which is what costs most.</summary>
    public long SignaturesChecked { get; private set; }

    public long HashesChecked { get; private set; }

    public int TagTablesMade => _tags.TablesMade;

    public int SourcesRemembered => _sources.Count;

    /// <summary>Whose announcements count from now on. What was heard of those that stay is kept.</summary>
    public void Admit(IEnumerable<DevicePublicKey> devices)
    {
        _devices = devices.Distinct().ToDictionary(device => device, device => _devices.GetValueOrDefault(device) ?? new Heard(new LanKeys(device)));
        _tags.Set([.. _devices.Values.Select(heard => heard.Keys)]);
    }

    public LanOutcome Handle(ReadOnlySpan<byte> datagram, IPAddress source, MeshInstant now, out LanSighting sighting)
    {
        sighting = default;
        if (!LanAnnouncement.TryRead(datagram, out LanAnnouncement announcement))
        {
            return LanOutcome.Malformed;
        }

        if (!_tags.TryFind(announcement.Tag, announcement.Epoch, now, out LanKeys keys))
        {
            return LanOutcome.Stranger;
        }

        if (!_sources.TryTake(source, now.Monotonic) || !_hashes.TryTake(now.Monotonic))
        {
            return LanOutcome.Limited;
        }

        HashesChecked++;
        if (!keys.HasMac(source, datagram))
        {
            return LanOutcome.Forged;
        }

        Heard heard = _devices[keys.Device];
        if (now.Monotonic - heard.At > StampsKeptFor)
        {
            heard.Stamps = new StampWindow();
        }

        if (!heard.Stamps.IsFresh(announcement.Stamp))
        {
            return LanOutcome.Replayed;
        }

        if (!heard.Allowance.TryTake(now.Monotonic) || !_signatures.TryTake(now.Monotonic))
        {
            return LanOutcome.Limited;
        }

        SignaturesChecked++;
        if (!DeviceIdentity.Verify(keys.Device, LanAnnouncement.Signed(source, datagram), datagram.Slice(LanAnnouncement.HeadBytes, LanAnnouncement.SignatureBytes)))
        {
            return LanOutcome.Forged;
        }

        heard.Stamps.TryUse(announcement.Stamp);
        heard.At = now.Monotonic;
        sighting = new LanSighting(keys.Device.Id, new IPEndPoint(source, announcement.Port), announcement.WantsAnswer);
        return LanOutcome.Accepted;
    }

    private sealed class Heard(LanKeys keys)
    {
        public LanKeys Keys { get; } = keys;

        public TokenBucket Allowance { get; } = new(burst: 64, perSecond: 4);

        public StampWindow Stamps { get; set; } = new();

        public TimeSpan At { get; set; }
    }
}
