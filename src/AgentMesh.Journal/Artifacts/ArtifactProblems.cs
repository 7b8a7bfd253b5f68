using AgentMesh.Errors;

namespace AgentMesh.Journal.Artifacts;

/// <summary>What goes wrong in a store of artifacts, whichever it is.</summary>
internal static class ArtifactProblems
{
    public static string CheckHash(string hash) => hash.Length == 64 && hash.All(char.IsAsciiHexDigitLower)
        ? hash
        : throw new MeshException(JournalErrors.ArtifactDamaged, "this is no SHA-256", "this is a defect of the sender");

    public static MeshException IsComing() => new(JournalErrors.ArtifactNotStored, "the same content is being taken just now", "nothing needs to be done: it is tried again");

    public static MeshException NewerAttempt(string name) => new(JournalErrors.ArtifactNotStored, $"a newer attempt left {name} already", "nothing needs to be done");

    public static MeshException Full(string place, string setting, long held, long max, long size) => new(
        JournalErrors.ArtifactStoreFull,
        $"{place} holds {held} bytes of artifacts of {max}, and {size} more do not fit",
        $"remove some with 'agentmesh artifact rm', or raise {setting}");

    public static MeshException TooLarge(string setting, long size, long max) =>
        new(JournalErrors.ArtifactTooLarge, $"an artifact of {size} bytes or more; {max} are the most", $"raise {setting} on the home of the job, or leave less behind");

    public static MeshException Gone(string place, string hash) =>
        new(JournalErrors.ArtifactGone, $"the content sha256:{hash} is not in the store of {place}", "'agentmesh artifact list' shows what is; it may have been removed to make room, or for its age");
}
