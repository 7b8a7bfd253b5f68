using System.Net;
using AgentMesh.Protocol.Packets;

namespace Simulation.Reach.Net;

/// <summary>What a stranger does with what comes to it.</summary>
internal enum StrangerKind
{
    Silent,

    /// <summary>Sends everything back as it came.</summary>
    Echo,

    /// <summary>Sends back what came earlier, in any order.</summary>
    Repeat,

    /// <summary>Sends back changed bytes.</summary>
    Change,

    /// <summary>Answers with noise that begins as our datagrams do.</summary>
    Noise,
}

/// <summary>Something else at an address at which a device was said to be. It cannot have the key of that device; it sees what is sent there.</summary>
internal sealed class Stranger(string link, IPEndPoint address, StrangerKind kind, Random random)
{
    private readonly List<byte[]> _earlier = [];

    public string Link => link;

    public IPEndPoint Address => address;

    public StrangerKind Kind => kind;

    /// <summary>Initiations that came here.</summary>
    public int Initiations { get; private set; }

    /// <summary>Questions: packets of a session whose end is elsewhere.</summary>
    public int Packets { get; private set; }

    /// <summary>The longest of them: data of a session never comes here.</summary>
    public int LongestPacket { get; private set; }

    public void Take(byte[] datagram, IPEndPoint from, Action<byte[]> sendBack)
    {
        bool isPacket = Datagrams.KindOf(datagram) == DatagramKind.Packet;
        Initiations += isPacket ? 0 : 1;
        Packets += isPacket ? 1 : 0;
        LongestPacket = isPacket ? Math.Max(LongestPacket, datagram.Length) : LongestPacket;
        _earlier.Add(datagram);
        switch (kind)
        {
            case StrangerKind.Echo:
                sendBack(datagram);
                break;
            case StrangerKind.Repeat:
                sendBack(_earlier[random.Next(_earlier.Count)]);
                break;
            case StrangerKind.Change:
                byte[] changed = [.. datagram];
                changed[random.Next(changed.Length)] ^= (byte)(1 + random.Next(255));
                sendBack(changed);
                break;
            case StrangerKind.Noise:
                byte[] noise = new byte[20 + random.Next(1_200)];
                random.NextBytes(noise);
                datagram.AsSpan(0, Math.Min(13, datagram.Length)).CopyTo(noise);
                sendBack(noise);
                break;
        }
    }
}
