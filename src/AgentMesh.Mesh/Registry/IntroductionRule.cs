using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>
/// Which <see cref="Introductions"/> count. The chain of this device itself begins by saying so, where introducing needs a grant: so the rule goes wherever the registry goes, and a registry of an older version,
/// which begins with an admission, goes on as it was.
/// </summary>
internal static class IntroductionRule
{
    /// <param name="own">The chain of the first key of this device.</param>
    /// <returns>Everyone or Granted.</returns>
    public static Introductions Of(Introductions asked, IReadOnlyList<RegistryEntry> own) =>
        asked != Introductions.AsBegun ? asked
        : own is [] or [{ Change: RegistryChange.IntroduceByGrant }, ..] ? Introductions.Granted
        : Introductions.Everyone;

    /// <summary>What stands before the first word of this device; null where nothing does.</summary>
    /// <param name="own">As in <see cref="Of"/>.</param>
    public static RegistryEntry? Beginning(Introductions asked, IReadOnlyList<RegistryEntry> own, DeviceIdentity self, DateTimeOffset now) =>
        asked != Introductions.Everyone && own.Count == 0 ? RegistryEntry.Sign(self, null, now, RegistryChange.IntroduceByGrant, self.PublicKey, "", []) : null;
}
