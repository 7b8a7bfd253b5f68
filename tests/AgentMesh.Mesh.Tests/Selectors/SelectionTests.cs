using AgentMesh.Errors;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Mesh.Tests.Selectors;

public sealed class SelectionTests
{
    private static readonly Candidate[] All =
    [
        Of('a', "laptop", true, 0),
        Of('b', "gpu-1", true, 3, "gpu", "zone=lab"),
        Of('c', "gpu-2", true, 1, "gpu", "zone=home"),
        Of('d', "gpu-3", false, 0, "gpu"),
        Of('e', "old", false, 0, "attic"),
    ];

    [Theory]
    [InlineData("@all", false, "laptop gpu-1 gpu-2", "gpu-3 old")]
    [InlineData("@all", true, "laptop gpu-1 gpu-2 gpu-3 old", "")]
    [InlineData("@label:gpu", false, "gpu-1 gpu-2", "gpu-3")]
    [InlineData("@label:zone", false, "gpu-1 gpu-2", "")]
    [InlineData("@label:zone=lab", false, "gpu-1", "")]
    [InlineData("@label:attic", true, "old", "")]
    [InlineData("@any(gpu)", false, "gpu-2", "")]
    [InlineData("@any:gpu", true, "gpu-2", "")]
    [InlineData("@gpu-2,laptop,gpu-2", false, "laptop gpu-2", "")]
    [InlineData("@old", false, "old", "")]
    [InlineData("@label:gpu,gpu-3", false, "gpu-1 gpu-2 gpu-3", "")]
    public void A_selector_means_these_devices_each_once(string selector, bool mayWait, string devices, string away)
    {
        Selection selection = Choose(selector, mayWait);
        Assert.Equal((devices, away), (Names(selection.Devices), Names(selection.Away)));
    }

    [Fact]
    public void Of_equally_busy_ones_the_first_by_name_is_taken() =>
        Assert.Equal("a", Names(Selection.Of(Selector.Parse("@any(x)"), [Of('b', "b", true, 2, "x"), Of('c', "a", true, 2, "x"), Of('d', "c", true, 5, "x")], _ => default, false).Devices));

    [Theory]
    [InlineData("@label:gpo", "AM0351", "position 8: no device has the label 'gpo'", "did you mean 'gpu'?")]
    [InlineData("@laptop,any(quantum)", "AM0351", "position 13:", "known are: attic, gpu, zone=home, zone=lab")]
    [InlineData("@label:attic", "AM0352", "position 8: no device with the label 'attic' is online: old", "--queue")]
    [InlineData("@any(attic)", "AM0352", "position 6:", "--array 1 @any(attic)")]
    public void An_empty_match_says_where_and_what_to_do(string selector, string code, string what, string next)
    {
        MeshException error = Assert.Throws<MeshException>(() => Choose(selector, mayWait: false));
        Assert.Equal(code, error.Code);
        Assert.StartsWith(what, error.Message, StringComparison.Ordinal);
        Assert.Contains(next, error.NextStep, StringComparison.Ordinal);
    }

    [Fact]
    public void One_of_several_is_not_waited_for_by_a_job_of_its_own() => Assert.Equal(MeshErrors.NobodyOnline, Assert.Throws<MeshException>(() => Choose("@any(attic)", mayWait: true)).Code);

    private static Selection Choose(string selector, bool mayWait) =>
        Selection.Of(Selector.Parse(selector), All, name => All.Single(device => device.Name == name).Id, mayWait);

    private static Candidate Of(char id, string name, bool isOnline, int running, params string[] labels) => new(Samples.Device(id), name, isOnline, running, labels);

    private static string Names(IEnumerable<Candidate> devices) => string.Join(' ', devices.Select(device => device.Name));
}
