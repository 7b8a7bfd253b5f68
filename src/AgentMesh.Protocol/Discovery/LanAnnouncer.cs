using System.Net;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Discovery;

/// <summary>Makes the announcements of this device. Not thread-safe.</summary>
internal sealed class LanAnnouncer(DeviceIdentity identity)
{
    private readonly LanKeys _keys = new(identity.PublicKey);
    private ulong _lastStamp;

    /// <param name="source">The address that the datagram will be sent from: it is signed.</param>
    public byte[] Announce(IPAddress source, ushort port, bool wantsAnswer, DateTimeOffset wall)
    {
        _lastStamp = Math.Max(LanAnnouncement.StampOf(wall), _lastStamp + 1);
        byte[] datagram = new byte[LanAnnouncement.Size];
        new LanAnnouncement(wantsAnswer, port, _lastStamp, _keys.Tag(LanAnnouncement.EpochOf(_lastStamp))).WriteHead(datagram);
        identity.Sign(LanAnnouncement.Signed(source, datagram)).CopyTo(datagram.AsSpan(LanAnnouncement.HeadBytes));
        _keys.WriteMac(source, datagram);
        return datagram;
    }
}
