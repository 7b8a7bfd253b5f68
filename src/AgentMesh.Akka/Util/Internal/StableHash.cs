namespace Akka.Util.Internal;

/// <summary>
/// A hash that is the same in every process, for what sets of members and addresses are ordered by: a run that follows from a seed must not hang on the
/// seed of the runtime's string hash. The strings come from members of the cluster, not from strangers.
/// </summary>
internal static class StableHash
{
    // FNV-1a.
    public static int Of(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
            hash = (hash ^ c) * 16777619;
        return (int)hash;
    }

    public static int Of(int first, int second) => unchecked((first * 16777619) ^ second);
}
