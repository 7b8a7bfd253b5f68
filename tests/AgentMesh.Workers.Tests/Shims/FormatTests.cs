using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Tests.Shims;

/// <summary>The files and frames are read by later versions of the node: what is on disk is spelled out here.</summary>
public sealed class FormatTests : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("am-format-").FullName, "file");

    [Fact]
    public void A_launch_file_comes_back_as_it_was()
    {
        var launch = new LaunchFile(
            ["/bin/sh", "", "a b\n'\"", "ü"], new Dictionary<string, string>(StringComparer.Ordinal) { ["A"] = "x=y", ["B"] = "" }, "/work", 5_000_000_000, TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(5), null);
        launch.Write(_file);

        LaunchFile read = LaunchFile.Read(_file);

        Assert.Equal(launch.Words, read.Words);
        Assert.Equal(launch.Environment, read.Environment);
        Assert.Equal(launch with { Words = read.Words, Environment = read.Environment }, read);
    }

    [Fact]
    public void A_launch_file_of_another_version_is_refused()
    {
        File.WriteAllText(_file, "2\0/work\0" + "1\0" + "0\0" + "0\0" + "0\0" + "0\0");
        Assert.Throws<FormatException>(() => LaunchFile.Read(_file));
    }

    [Theory]
    [InlineData("1 1 7 12 4 0\n", true)]
    [InlineData("1 1 7 12 4\n", false)]
    [InlineData("2 1 7 12 4 0\n", false)]
    [InlineData("1 6 7 12 4 0\n", false)]
    [InlineData("", false)]
    [InlineData("1 1 x 12 4 0\n", false)]
    [InlineData("\0\0\0\0", false)]
    public void An_end_is_read_whole_or_not_at_all(string text, bool isRead)
    {
        File.WriteAllText(_file, text);
        Assert.Equal(isRead ? new EndRecord(ShimOutcome.Exited, 7, 12, 4, 0) : null, EndRecord.TryRead(_file));
    }

    [Theory]
    [InlineData("boot 10 100 11 101\n", true)]
    [InlineData("boot 10 100 11\n", false)]
    [InlineData("boot 10 100 11 1x1\n", false)]
    [InlineData("", false)]
    public void A_record_of_who_runs_is_read_whole_or_not_at_all(string text, bool isRead)
    {
        File.WriteAllText(_file, text);
        Assert.Equal(isRead ? new ShimRecord("boot", new ProcessIdentity(10, 100), new ProcessIdentity(11, 101)) : null, ShimRecord.TryRead(_file));
    }

    [Fact]
    public void A_frame_has_32_bytes_in_a_fixed_order()
    {
        byte[] bytes = new byte[ShimFrame.Size];
        var frame = new ShimFrame(ShimFrameKind.Ended, 2, 137, 1, 2, 28);
        frame.Write(bytes);

        Assert.Equal("0302000089000000010000000000000002000000000000001c00000000000000", Convert.ToHexStringLower(bytes));
        Assert.Equal(frame, ShimFrame.Read(bytes));
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);
}
