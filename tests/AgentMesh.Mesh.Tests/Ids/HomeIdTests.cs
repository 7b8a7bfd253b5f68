using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Tests.Ids;

public sealed class HomeIdTests
{
    private const string Device = "abcdefghijklmnopqrstuvwxyz234567";
    private const string Ulid = "01jd0000000000000000000000";

    [Fact]
    public void An_id_with_a_device_as_home_reads_as_before()
    {
        Assert.True(JobId.TryParse($"job/{Device}/{Ulid}", out JobId job));
        Assert.Equal((HomeId)DeviceId.Parse(Device), job.Home);
        Assert.False(job.Home.IsPool);
        Assert.Equal($"job/{Device}/{Ulid}", job.ToString());
    }

    [Fact]
    public void A_pool_is_a_home_of_jobs_schedules_and_arrays()
    {
        HomeId lab = HomeId.Pool("lab");
        Assert.True(JobId.TryParse($"job/pool-lab/{Ulid}", out JobId job));
        Assert.True(CronId.TryParse("cron/pool-lab/nightly", out CronId cron));
        Assert.True(ArrayId.TryParse($"array/pool-lab/{Ulid}", out ArrayId array));
        Assert.Equal([lab, lab, lab], [job.Home, cron.Home, array.Home]);
        Assert.Equal($"job/pool-lab/{Ulid}", job.ToString());
        Assert.Equal("nightly", cron.Name);
    }

    [Theory]
    [InlineData("job/pool-/01jd0000000000000000000000")]
    [InlineData("job/pool-Lab/01jd0000000000000000000000")]
    [InlineData("job/pool-a_b/01jd0000000000000000000000")]
    [InlineData("job/lab/01jd0000000000000000000000")]
    [InlineData("job//01jd0000000000000000000000")]
    [InlineData("job/pool-abcdefghijklmnopqrstuvwxy/01jd0000000000000000000000")]
    [InlineData("job/pool-lab/")]
    public void What_is_no_home_is_refused(string text) => Assert.False(JobId.TryParse(text, out _));

    [Fact]
    public void A_name_that_cannot_stand_in_ids_is_refused_with_the_rule() =>
        Assert.Equal(MeshErrors.BadPoolName, Assert.Throws<MeshException>(() => HomeId.Pool("My Pool")).Code);

    [Fact]
    public void The_same_key_gives_another_job_in_another_home() =>
        Assert.NotEqual(JobId.FromIdempotencyKey(HomeId.Pool("lab"), "k").Ulid, JobId.FromIdempotencyKey(HomeId.Pool("lab2"), "k").Ulid);

    // The journal's own test has the same numbers: the member that hosts a shard must be the one that owns it in the database.
    [Theory]
    [InlineData("job/pool-lab/01jd0000000000000000000000", "47")]
    [InlineData("cron/pool-lab/nightly", "28")]
    [InlineData("array/pool-a-b/01jd0000000000000000000001", "51")]
    public void The_shards_of_a_pool_are_the_buckets_of_its_journal(string id, string shard) => Assert.Equal(shard, new MeshExtractor().ShardId(id));
}
