using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Tests.Crypto;

/// <summary>Repeatable bytes, for tests only.</summary>
internal sealed class SeededEntropy(int seed) : IEntropy
{
    private readonly Random _random = new(seed);

    public void Fill(Span<byte> destination) => _random.NextBytes(destination);
}
