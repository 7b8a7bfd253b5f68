using System.Security.Cryptography;

namespace AgentMesh.Protocol.Crypto;

/// <summary>The AEAD of a session; its number is on the wire and in the transcript. Every device can do both.</summary>
public enum CipherSuite : byte
{
    /// <summary>AES-256-GCM with SHA-256.</summary>
    Aes256Gcm = 1,

    /// <summary>ChaCha20-Poly1305 with SHA-256.</summary>
    ChaCha20Poly1305 = 2,
}

/// <summary>Which suite an initiator picks.</summary>
public static class CipherSuites
{
    /// <summary>AES-GCM where the processor has instructions for it, else ChaCha20-Poly1305.</summary>
    public static CipherSuite Preferred { get; } = HasAesHardware && AesGcm.IsSupported ? CipherSuite.Aes256Gcm : CipherSuite.ChaCha20Poly1305;

    private static bool HasAesHardware =>
        System.Runtime.Intrinsics.X86.Aes.IsSupported || System.Runtime.Intrinsics.Arm.Aes.IsSupported;

    /// <summary>True where the number is known and the platform's library offers the cipher.</summary>
    public static bool IsUsable(CipherSuite suite) => suite switch
    {
        CipherSuite.Aes256Gcm => AesGcm.IsSupported,
        CipherSuite.ChaCha20Poly1305 => ChaCha20Poly1305.IsSupported,
        _ => false,
    };
}
