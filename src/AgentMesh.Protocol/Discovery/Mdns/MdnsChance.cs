using System.Buffers.Binary;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Discovery.Mdns;

/// <summary>Waits that keep many devices from speaking at the same moment.</summary>
internal sealed class MdnsChance(IEntropy entropy)
{
    public TimeSpan Between(TimeSpan least, TimeSpan most)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        entropy.Fill(bytes);
        return least + ((most - least) * (BinaryPrimitives.ReadUInt32BigEndian(bytes) / (double)uint.MaxValue));
    }
}
