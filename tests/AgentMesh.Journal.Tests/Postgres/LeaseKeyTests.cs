namespace AgentMesh.Journal.Tests.Postgres;

public sealed class LeaseKeyTests
{
    // The tests of the mesh have the same numbers: the member that hosts a shard must be the one that owns it in the database.
    [Theory]
    [InlineData("job/pool-lab/01jd0000000000000000000000", "job/47")]
    [InlineData("cron/pool-lab/nightly", "cron/28")]
    [InlineData("array/pool-a-b/01jd0000000000000000000001", "array/51")]
    public void The_buckets_of_the_journal_are_the_shards_of_the_cluster(string id, string shard) => Assert.Equal(shard, LeaseKey.Of(id).Shard);

    [Fact]
    public void The_home_is_the_second_part_of_an_id() => Assert.Equal("pool-lab", LeaseKey.Of("job/pool-lab/x").Home);
}
