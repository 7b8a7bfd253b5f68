using AgentMesh.Mesh.Grants;

namespace AgentMesh.Mesh.Tests.Grants;

public sealed class ConfinementTests
{
    [Fact]
    public void Directories_are_written_and_others_read_as_the_grants_say()
    {
        Confinement of = Confinement.Of(["command:calc", "dir:/data", "dir:/scratch", "read:/venv", "run:train"], ["dir:/data", "dir:/data", "dir:/others", "read:/there"]);
        Assert.Equal(["/data", "/scratch"], of.Writable);
        Assert.Equal(["/venv"], of.Readable);
        Assert.Equal(["/data", "/others"], of.Changeable);
    }

    [Theory]
    [InlineData("dir:/data", "dir:/data", "/data", "")]
    [InlineData("dir:/data", "dir:/data/a", "/data/a", "")]
    [InlineData("dir:/data/a", "dir:/data", "/data/a", "")]
    [InlineData("dir:/data", "dir:/database", "", "")]
    [InlineData("dir:/data", "read:/data/a", "", "/data/a")]
    [InlineData("dir:/data read:/venv", "dir:/data read:/venv/lib", "/data", "/venv/lib")]
    [InlineData("dir:/data", "", "", "")]
    [InlineData("dir:/", "dir:/data read:/venv", "/data", "/venv")]
    public void Of_two_devices_that_stand_behind_a_program_both_must_allow_it(string a, string b, string writable, string readable)
    {
        Confinement? both = Confinement.Both(Of(a), Of(b)), turned = Confinement.Both(Of(b), Of(a));
        Assert.Equal((writable, readable), (string.Join(' ', both!.Writable), string.Join(' ', both.Readable)));
        Assert.Equal((writable, readable), (string.Join(' ', turned!.Writable), string.Join(' ', turned.Readable)));
    }

    [Fact]
    public void Who_may_do_everything_takes_nothing_away()
    {
        Confinement narrow = Of("dir:/data");
        Assert.Null(Confinement.Both(null, null));
        Assert.Same(narrow, Confinement.Both(narrow, null));
        Assert.Same(narrow, Confinement.Both(null, narrow));
    }

    private static Confinement Of(string grants) => Confinement.Of(grants.Split(' ', StringSplitOptions.RemoveEmptyEntries), []);
}
