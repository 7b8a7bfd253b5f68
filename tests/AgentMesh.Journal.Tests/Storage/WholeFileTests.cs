using AgentMesh.Journal.Storage;

namespace AgentMesh.Journal.Tests.Storage;

public sealed class WholeFileTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string Target => Path.Combine(_directory.Path, "file");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void What_was_there_is_replaced_and_nothing_stays_beside_it()
    {
        File.WriteAllText(Target, "a longer text than the one that follows");
        WholeFile.Write(Target, "né\n");
        Assert.Equal("né\n"u8, File.ReadAllBytes(Target));

        WholeFile.WriteDurably(Target, isSecret: false, file => file.Write("durable"u8));
        Assert.Equal("durable", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFileSystemEntries(_directory.Path));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_secret_is_for_its_user_alone_whatever_a_crash_left(bool isDurable)
    {
        if (OperatingSystem.IsWindows())
        {
            Skip.If(true, "modes are those of Unix");
            return;
        }

        File.WriteAllText(Target + ".new", "half");
        File.SetUnixFileMode(Target + ".new", (UnixFileMode)0b110_100_100);
        if (isDurable)
        {
            WholeFile.WriteDurably(Target, isSecret: true, file => file.Write("key"u8));
        }
        else
        {
            WholeFile.Write(Target, "key", isSecret: true);
        }

        Assert.Equal("key", File.ReadAllText(Target));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Target));
    }

    [Fact]
    public void Where_it_cannot_be_written_the_one_before_is_there()
    {
        File.WriteAllText(Target, "before");
        Assert.Throws<IOException>(() => WholeFile.WriteDurably(Target, isSecret: false, file =>
        {
            file.Write("ha"u8);
            throw new IOException("no space left");
        }));
        Assert.Equal("before", File.ReadAllText(Target));
    }
}
