namespace AgentMesh.Journal;

/// <summary>A member of a pool as its database knows it: only who can write there is one.</summary>
/// <param name="MemberId">One life of an actor system on the device.</param>
/// <param name="LeaseLeft">By the clock of the database; zero or less: others may take its shards.</param>
public sealed record PoolMember(string MemberId, string Device, string Name, DateTimeOffset StartedAt, TimeSpan LeaseLeft, int Shards, long EpochMax);
