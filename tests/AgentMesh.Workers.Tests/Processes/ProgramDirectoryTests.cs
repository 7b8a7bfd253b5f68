using AgentMesh.Errors;
using AgentMesh.Workers.Processes;

namespace AgentMesh.Workers.Tests.Processes;

public sealed class ProgramDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("am-directory-").FullName;

    public ProgramDirectoryTests()
    {
        Directory.CreateDirectory(Path.Combine(_root, "work", "runs"));
        Directory.CreateDirectory(Path.Combine(_root, "secret", "deep"));
        File.WriteAllText(Path.Combine(_root, "file"), "");
        Directory.CreateSymbolicLink(Path.Combine(_root, "work", "out"), "../secret/../secret");
        Directory.CreateSymbolicLink(Path.Combine(_root, "work", "twice"), Path.Combine(_root, "work", "out", "deep"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "circle"), Path.Combine(_root, "circle"));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(null, "work")]
    [InlineData("runs", "work/runs")]
    [InlineData("./runs/../runs", "work/runs")]
    [InlineData("{root}/secret", "secret")]
    [InlineData("out", "secret")]
    [InlineData("out/deep", "secret/deep")]
    [InlineData("{root}/work/twice", "secret/deep")]
    public void It_counts_from_where_programs_begin_and_links_are_followed(string? wanted, string found) =>
        Assert.Equal(Path.Combine(_root, found), ProgramDirectory.Find(wanted?.Replace("{root}", _root, StringComparison.Ordinal), Path.Combine(_root, "work")));

    [Fact]
    public void A_tilde_is_the_home_of_the_user()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal(ProgramDirectory.Find(home, _root), ProgramDirectory.Find("~", _root));
        Assert.Equal(ProgramDirectory.Find(home, _root), ProgramDirectory.Find("~/.", _root));
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("{root}/file")]
    [InlineData("{root}/circle")]
    [InlineData("{root}/circle/deeper")]
    [InlineData("a\0b")]
    public void What_is_no_directory_is_told(string wanted) =>
        Assert.Equal("AM0628", Assert.Throws<MeshException>(() => ProgramDirectory.Find(wanted.Replace("{root}", _root, StringComparison.Ordinal), Path.Combine(_root, "work"))).Code);
}
