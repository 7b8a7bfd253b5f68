using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Tests.Pairing.Codes;

/// <summary>Gives the bytes of a vector, in their order; each draw must have the length that is asked for.</summary>
internal sealed class ScriptedEntropy(params byte[][] draws) : IEntropy
{
    private readonly Queue<byte[]> _draws = new(draws);

    public void Fill(Span<byte> destination)
    {
        byte[] next = _draws.Dequeue();
        Assert.Equal(next.Length, destination.Length);
        next.CopyTo(destination);
    }
}
