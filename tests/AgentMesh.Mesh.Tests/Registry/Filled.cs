using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Mesh.Tests.Registry;

/// <summary>The same bytes each time: an identity that is known beforehand.</summary>
internal sealed class Filled(byte fill) : IEntropy
{
    public void Fill(Span<byte> destination) => destination.Fill(fill);
}
