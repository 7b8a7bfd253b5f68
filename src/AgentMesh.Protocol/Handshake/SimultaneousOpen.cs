using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// Both devices open at once: the one with the smaller public key is preferred. Both sides come to the same result without asking each other.
/// </summary>
public static class SimultaneousOpen
{
    /// <summary>Two sessions opened from both sides within this time are twins; after it the newer one always replaces the older.</summary>
    public static readonly TimeSpan TwinWindow = TimeSpan.FromSeconds(10);

    /// <summary>True where <paramref name="local"/> is the preferred initiator of the two.</summary>
    public static bool Prefers(DevicePublicKey local, DevicePublicKey remote) => local.Span.SequenceCompareTo(remote.Span) < 0;

    /// <summary>
    /// What to do with <paramref name="candidate"/>, just established, while <paramref name="existing"/> with the same device is alive: true keeps the existing one
    /// and drops the candidate without a word; false replaces it.
    /// </summary>
    public static bool KeepsExisting(DevicePublicKey local, EstablishedSession existing, EstablishedSession candidate) =>
        existing.RemoteInstance == candidate.RemoteInstance // the other process was not restarted in between
        && existing.IsInitiator != candidate.IsInitiator
        && candidate.EstablishedAt - existing.EstablishedAt < TwinWindow
        && existing.IsInitiator == Prefers(local, candidate.RemoteKey);
}
