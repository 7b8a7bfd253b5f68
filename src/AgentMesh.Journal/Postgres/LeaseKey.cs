using System.Globalization;

namespace AgentMesh.Journal;

/// <summary>
/// What is owned as a whole: the entities of one kind at one home whose ids fall into the same bucket. It is the shard of Akka.Cluster.Sharding, so that
/// the member that hosts a shard is the one that owns it in the database.
/// </summary>
/// <param name="Home">The pool.</param>
/// <param name="Shard"><c>KIND/BUCKET</c>.</param>
public readonly record struct LeaseKey(string Home, string Shard)
{
    /// <summary>Shards of one kind of entity in a pool. Part of the format: members with different numbers would not agree who owns what.</summary>
    public const int Buckets = 64;

    /// <summary>Of <c>KIND/HOME/NAME</c>; an id of another form has no home.</summary>
    public static LeaseKey Of(string persistenceId)
    {
        string[] parts = persistenceId.Split('/', 3);
        string bucket = BucketOf(persistenceId).ToString(CultureInfo.InvariantCulture);
        return parts.Length == 3 ? new LeaseKey(parts[1], $"{parts[0]}/{bucket}") : new LeaseKey("", $"{parts[0]}/{bucket}");
    }

    // FNV-1a: the same on every device and in every version, which string.GetHashCode is not.
    private static uint BucketOf(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 16777619;
        }

        return hash % Buckets;
    }

    public override string ToString() => $"{Home}:{Shard}";
}
