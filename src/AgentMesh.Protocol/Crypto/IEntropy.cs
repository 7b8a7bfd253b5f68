using System.Security.Cryptography;

namespace AgentMesh.Protocol.Crypto;

/// <summary>Where keys, connection ids and jitter come from. Thread-safe. Only tests pass anything other than <see cref="SystemEntropy"/>.</summary>
public interface IEntropy
{
    /// <summary>Fills all of <paramref name="destination"/> with bytes that nobody can predict.</summary>
    void Fill(Span<byte> destination);
}

/// <summary>The operating system's generator.</summary>
public sealed class SystemEntropy : IEntropy
{
    public static SystemEntropy Instance { get; } = new();

    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
