using AgentMesh.Errors;
using AgentMesh.Mesh.Turns;

namespace AgentMesh.Mesh.Tests.Turns;

public sealed class ResourceAmountsTests
{
    [Theory]
    [InlineData("gpu=1", "gpu=1")]
    [InlineData("cpu=0.5", "cpu=0.5")]
    [InlineData("mem=24G", "mem=24G")]
    [InlineData("mem=1536M", "mem=1.5G")]
    [InlineData("mem=100", "mem=100")]
    [InlineData("License-X=1", "license-x=1")]
    [InlineData("tokens=2K", "tokens=2048")]
    public void Reads_what_people_write(string text, string shown) => Assert.Equal(shown, ResourceAmounts.Parse([text]).ToString());

    [Theory]
    [InlineData("gpu")]
    [InlineData("gpu=")]
    [InlineData("gpu=0")]
    [InlineData("gpu=-1")]
    [InlineData("gpu=1.2345")]
    [InlineData("gpu=1e9")]
    [InlineData("gpu=one")]
    [InlineData("=1")]
    [InlineData("1gpu=1")]
    [InlineData("g p=1")]
    [InlineData("mem=99999999999T")]
    public void Refuses_what_is_no_amount(string text) => Assert.Equal(MeshErrors.BadResource, Assert.Throws<MeshException>(() => ResourceAmounts.Parse([text])).Code);

    [Fact]
    public void Refuses_a_name_twice_and_too_many()
    {
        Assert.Equal(MeshErrors.BadResource, Assert.Throws<MeshException>(() => ResourceAmounts.Parse(["gpu=1", "GPU=2"])).Code);
        Assert.Equal(MeshErrors.BadResource, Assert.Throws<MeshException>(() => ResourceAmounts.Parse(Enumerable.Range(0, 33).Select(i => $"r{i}=1"))).Code);
    }

    [Fact]
    public void Tells_what_will_never_fit()
    {
        ResourceAmounts has = ResourceAmounts.Parse(["gpu=2", "mem=24G"]);
        Assert.Null(ImpossibleNeeds.Of(ResourceAmounts.Parse(["gpu=2"]), has));
        Assert.Equal("has no fpga, and 1 is asked for and 2 gpu in all, and 3 is asked for", ImpossibleNeeds.Of(ResourceAmounts.Parse(["gpu=3", "fpga=1"]), has));
    }

    [Fact]
    public void Sums_and_differences_keep_to_zero()
    {
        ResourceAmounts a = ResourceAmounts.Parse(["gpu=2", "cpu=1"]), b = ResourceAmounts.Parse(["gpu=3"]);
        Assert.Equal(ResourceAmounts.Parse(["gpu=5", "cpu=1"]), a.Plus(b));
        Assert.Equal(ResourceAmounts.Parse(["cpu=1"]), a.Minus(b));
        Assert.Equal(["gpu"], b.LackingIn(a));
        Assert.Equal(a.GetHashCode(), ResourceAmounts.Parse(["cpu=1", "gpu=2"]).GetHashCode());
    }
}
