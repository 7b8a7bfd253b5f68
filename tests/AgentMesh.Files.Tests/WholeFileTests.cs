namespace AgentMesh.Files.Tests;

public sealed class WholeFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("agentmesh-files-").FullName;

    private string Target => Path.Combine(_directory, "file");

    private string Fresh => $"{Target}.{Guid.NewGuid():N}.new";

    private IEnumerable<string> Names => Directory.GetFileSystemEntries(_directory).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_was_there_is_replaced_and_nothing_stays_beside_it()
    {
        File.WriteAllText(Target, "a longer text than the one that follows");
        WholeFile.Write(Target, "né\n");
        Assert.Equal("né\n"u8, File.ReadAllBytes(Target));

        WholeFile.Write(Target, isSecret: false, file => file.Write("bytes"u8));
        Assert.Equal("bytes", File.ReadAllText(Target));
        Assert.Equal(["file"], Names);
    }

    [Fact]
    public void Who_looks_while_it_is_written_sees_the_one_before()
    {
        File.WriteAllText(Target, "before");
        WholeFile.Write(Target, isSecret: false, file =>
        {
            file.Write("after"u8);
            file.Flush();
            Assert.Equal("before", File.ReadAllText(Target));
        });
        Assert.Equal("after", File.ReadAllText(Target));
    }

    [Fact]
    public void Of_two_that_write_at_once_the_last_one_stays_and_is_whole()
    {
        WholeFile.Write(Target, isSecret: false, outer =>
        {
            outer.Write("outer, the longer one"u8);
            WholeFile.Write(Target, "inner");
            Assert.Equal("inner", File.ReadAllText(Target));
            outer.Write(" of both"u8);
        });
        Assert.Equal("outer, the longer one of both", File.ReadAllText(Target));
        Assert.Equal(["file"], Names);
    }

    [Fact]
    public void What_is_created_is_never_put_over_a_file_that_is_there()
    {
        WholeFile.Create(Target, isSecret: true, file => file.Write("first"u8));
        Assert.Throws<IOException>(() => WholeFile.Create(Target, isSecret: true, file => file.Write("second"u8)));
        Assert.Equal("first", File.ReadAllText(Target));
        Assert.Equal(["file"], Names);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_secret_is_for_its_user_alone_from_its_first_byte(bool isThere)
    {
        if (OperatingSystem.IsWindows())
        {
            Skip.If(true, "modes are those of Unix");
            return;
        }

        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (isThere)
        {
            File.WriteAllText(Target, "readable by all");
            File.SetUnixFileMode(Target, ownerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }

        WholeFile.Write(Target, isSecret: true, file =>
        {
            string fresh = Assert.Single(Directory.GetFiles(_directory, "*.new"));
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(fresh) == ownerOnly);
            file.Write("key"u8);
        });
        Assert.Equal("key", File.ReadAllText(Target));
        Assert.Equal(ownerOnly, File.GetUnixFileMode(Target));
        WholeFile.Write(Target, "text", isSecret: true);
        Assert.Equal(ownerOnly, File.GetUnixFileMode(Target));
    }

    [Fact]
    public void Where_it_cannot_be_written_the_one_before_is_there_and_nothing_beside_it()
    {
        File.WriteAllText(Target, "before");
        Assert.Throws<IOException>(() => WholeFile.Write(Target, isSecret: false, file =>
        {
            file.Write("ha"u8);
            throw new IOException("no space left");
        }));
        Assert.Equal("before", File.ReadAllText(Target));
        Assert.Equal(["file"], Names);
        Assert.Throws<DirectoryNotFoundException>(() => WholeFile.Write(Path.Combine(_directory, "none", "file"), "x"));
    }

    [Fact]
    public void Where_it_cannot_have_its_name_nothing_stays_beside_it()
    {
        Directory.CreateDirectory(Target);
        Assert.ThrowsAny<SystemException>(() => WholeFile.Write(Target, "x"));
        Assert.Equal(["file"], Names);
    }

    [Fact]
    public void What_a_crash_left_is_removed_by_the_next_write_and_what_another_process_writes_now_is_not()
    {
        string left = Fresh, writing = Fresh;
        File.WriteAllText(left, "half");
        File.WriteAllText(writing, "half");
        File.SetLastWriteTimeUtc(left, File.GetLastWriteTimeUtc(left) - TimeSpan.FromMinutes(2));
        WholeFile.Write(Target, isSecret: false, file => file.Write("x"u8), sweeps: false);
        Assert.Equal(3, Names.Count());
        WholeFile.Write(Target, "x");
        Assert.Equal(["file", Path.GetFileName(writing)], Names);
    }

    [Fact]
    public void Files_of_other_names_are_left_alone()
    {
        string[] others = ["file.new", "file.copy.new", "file2.new", $"file2.{Guid.NewGuid():N}.new", $"file.{Guid.NewGuid():N}.news", $"file.{Guid.NewGuid():N}", "new", ".new"];
        foreach (string other in others)
        {
            string path = Path.Combine(_directory, other);
            File.WriteAllText(path, "mine");
            File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path) - TimeSpan.FromDays(2));
        }

        WholeFile.Write(Target, "x");
        Assert.Equal(others.Append("file").Order(StringComparer.Ordinal), Names);
    }

    [SkippableFact]
    public void A_directory_that_cannot_be_flushed_is_said_and_one_whose_file_system_has_no_such_call_is_not()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "/proc is of Linux");
        DirectorySync.Flush("/proc");
        DirectorySync.Flush(_directory);
        Assert.Throws<IOException>(() => DirectorySync.Flush(Path.Combine(_directory, "none")));
    }
}
