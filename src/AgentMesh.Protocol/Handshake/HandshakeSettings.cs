using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Handshake;

/// <summary>Limits and timing of handshakes. Immutable; defaults fit a device in a home network.</summary>
public sealed record HandshakeSettings
{
    /// <summary>The suite that this side proposes when it opens. Both are always accepted.</summary>
    public CipherSuite Suite { get; init; } = CipherSuites.Preferred;

    /// <summary>First wait for an answer; doubles each time up to <see cref="RetransmitMax"/>, each wait shortened by up to a third at random.</summary>
    public TimeSpan RetransmitInitial { get; init; } = TimeSpan.FromMilliseconds(300);

    public TimeSpan RetransmitMax { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>An initiation is made anew after this time; must be less than <see cref="HalfOpenLifetime"/>.</summary>
    public TimeSpan RenewAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>An attempt without an answer fails after this time.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long an answered initiation waits for its first packet.</summary>
    public TimeSpan HalfOpenLifetime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Simultaneous open: so long the preferred device leaves the other's initiation unanswered while its own is under way.</summary>
    public TimeSpan GlareWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Initiations answered and not proven yet; the oldest goes when a new one needs its place.</summary>
    public int HalfOpenMax { get; init; } = 1024;

    /// <summary>The same for one device, which may try several addresses at once.</summary>
    public int HalfOpenPerDeviceMax { get; init; } = 32;

    /// <summary>Devices that this side is opening connections to; further ones are refused.</summary>
    public int AttemptsMax { get; init; } = 4096;

    /// <summary>Addresses tried for one device; further ones are left out.</summary>
    public int AddressesPerAttemptMax { get; init; } = 32;

    /// <summary>Initiations with a good first MAC per second from which on an address must first prove itself with a cookie.</summary>
    public int InitiationsPerSecondBeforeCookies { get; init; } = 200;

    /// <summary>Under load: initiations per second and address that had a good cookie.</summary>
    public int InitiationsPerSecondPerAddress { get; init; } = 20;

    /// <summary>Packets of sessions that were forgotten in a restart are answered, and the other side is told by what it knows such an answer.</summary>
    public bool AnswersForgotten { get; init; } = true;

    public RekeySettings Rekey { get; init; } = new();

    /// <summary>Gets the secrets of every session; null: nobody does.</summary>
    public IKeyLog? KeyLog { get; init; }
}
