using AgentMesh.Node.Control;

namespace AgentMesh.Node.Tests;

public sealed class JobFilterTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly JobView Job =
        new("job/h/u", "u", "running", "run -- python3 Train.py", "gpubox2222222222222222222222222aa", "gpu-box", 1, 3, Noon, null, null, null, null, null, null, null, null, null, Group: "nightly");

    private static readonly ArrayView Array = new("array/h/u", "a-u", "running", "echo {}", "@gpu-box,lab", null, 3, 1, 1, 1, 0, 0, Noon, null, null, null);

    [Fact]
    public void Everything_fits_a_filter_that_asks_for_nothing() => Assert.True(new JobFilter().Fits(Job) && new JobFilter().Fits(Array));

    [Theory]
    [InlineData("gpu-box", true)]
    [InlineData("GPU-BOX", true)]
    [InlineData("gpub", true)]
    [InlineData("gpu", false)]
    [InlineData("lab", false)]
    public void By_device(string on, bool fits) => Assert.Equal(fits, new JobFilter(On: on).Fits(Job));

    [Theory]
    [InlineData("lab", true)]
    [InlineData("laptop", false)]
    public void Arrays_by_what_their_selector_names(string on, bool fits) => Assert.Equal(fits, new JobFilter(On: on).Fits(Array));

    [Theory]
    [InlineData("train.PY", true)]
    [InlineData("test", false)]
    public void By_a_part_of_the_command(string text, bool fits) => Assert.Equal(fits, new JobFilter(Text: text).Fits(Job));

    [Fact]
    public void By_time_and_group()
    {
        Assert.True(new JobFilter(Since: Noon).Fits(Job));
        Assert.False(new JobFilter(Since: Noon.AddSeconds(1)).Fits(Job));
        Assert.False(new JobFilter(Since: Noon.AddSeconds(1)).Fits(Array));
        Assert.True(new JobFilter(Group: "nightly").Fits(Job));
        Assert.False(new JobFilter(Group: "daily").Fits(Job));
        Assert.False(new JobFilter(Group: "nightly").Fits(Array));
    }
}
