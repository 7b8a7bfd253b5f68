using AgentMesh.Cli.Doctor;

namespace AgentMesh.Cli.Tests.Doctor;

public sealed class DirectoryChecksTests
{
    private static readonly DirectoryFacts Good = new("/data/mesh", Exists: true, (UnixFileMode)0b111_000_000, IsOwn: true);

    [Fact]
    public void A_private_directory_of_the_user_is_ok() => Assert.Equal("ok", DirectoryChecks.Access(Good).Result);

    [Fact]
    public void A_directory_that_is_not_there_is_a_warning() => Assert.Equal("warn", DirectoryChecks.Access(Good with { Exists = false, Mode = null, IsOwn = null }).Result);

    [Fact]
    public void A_directory_of_somebody_else_fails_with_chown()
    {
        DoctorCheck check = DirectoryChecks.Access(Good with { Path = "/data/my mesh", IsOwn = false });

        Assert.Equal("fail", check.Result);
        Assert.Contains("chown -R \"$(id -un)\" '/data/my mesh'", check.Next, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("755", "warn")]
    [InlineData("710", "warn")]
    [InlineData("2700", "ok")]
    [InlineData("500", "fail")]
    [InlineData("077", "fail")]
    public void Modes_that_show_it_to_others_warn_and_those_that_lock_the_owner_out_fail(string octal, string expected)
    {
        DoctorCheck check = DirectoryChecks.Access(Good with { Mode = (UnixFileMode)Convert.ToInt32(octal, 8) });

        Assert.Equal(expected, check.Result);
        Assert.Equal(expected == "ok" ? null : "chmod 0700 /data/mesh", check.Next);
    }

    [Theory]
    [InlineData(1L << 40, "ok")]
    [InlineData(1L << 30, "ok")]
    [InlineData((1L << 30) - 1, "warn")]
    [InlineData(50L << 20, "warn")]
    [InlineData((50L << 20) - 1, "fail")]
    [InlineData(0L, "fail")]
    public void Little_free_space_warns_and_none_fails(long bytes, string expected) => Assert.Equal(expected, DirectoryChecks.FreeSpace(bytes, "/data").Result);

    [Fact]
    public void The_median_of_the_flushes_counts_and_not_the_slowest()
    {
        TimeSpan quick = TimeSpan.FromMilliseconds(1), slow = TimeSpan.FromMilliseconds(21);

        Assert.Equal("ok", DirectoryChecks.FlushTime([slow, slow, quick, quick, quick]).Result);
        Assert.Equal("warn", DirectoryChecks.FlushTime([slow, slow, quick, quick, slow]).Result);
        Assert.Equal("ok", DirectoryChecks.FlushTime([DirectoryChecks.FlushWarn]).Result);
    }

    [Theory]
    [InlineData(null, "ok")]
    [InlineData("600", "ok")]
    [InlineData("660", "fail")]
    [InlineData("666", "fail")]
    public void A_control_socket_that_others_may_open_fails(string? octal, string expected) =>
        Assert.Equal(expected, DirectoryChecks.Socket("/data/control.sock", octal is null ? null : (UnixFileMode)Convert.ToInt32(octal, 8)).Result);
}
