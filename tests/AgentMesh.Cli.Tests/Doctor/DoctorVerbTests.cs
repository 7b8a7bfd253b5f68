using System.Text.Json;
using AgentMesh.Cli.Doctor;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Tests.Doctor;

public sealed class DoctorVerbTests
{
    private static readonly DoctorCheck[] Checks =
    [
        DoctorCheck.Ok("sqlite", "3.40.1"),
        DoctorCheck.Warn("node", "no node is running here", "agentmesh up --detach"),
    ];

    [Fact]
    public void Warnings_do_not_fail()
    {
        (int code, string text) = Show(json: false, Checks);

        Assert.Equal(0, code);
        Assert.Equal("ok    sqlite  3.40.1\nwarn  node    no node is running here\n              next: agentmesh up --detach\n2 checks: 0 failed, 1 warning\n", text);
    }

    [Fact]
    public void A_failed_check_is_exit_code_1_and_shows_its_code()
    {
        DoctorCheck broken = DoctorCheck.Of("settings", () => throw new MeshException("AM0201", "agentmesh.conf:\nline 3", "correct\nthe file"));

        (int code, string text) = Show(json: false, [.. Checks, broken]);

        Assert.Equal(DoctorVerb.Failed, code);
        Assert.Contains("FAIL  settings  AM0201: agentmesh.conf: line 3\n                next: correct the file\n3 checks: 1 failed, 1 warning\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_is_one_object_with_every_check()
    {
        (int code, string text) = Show(json: true, [.. Checks, DoctorCheck.Fail("udp port", "taken", "ss -ulpn")]);

        Assert.Equal(DoctorVerb.Failed, code);
        JsonElement root = JsonDocument.Parse(text).RootElement;
        Assert.False(root.GetProperty("ok").GetBoolean());
        Assert.Equal(["ok", "warn", "fail"], root.GetProperty("checks").EnumerateArray().Select(check => check.GetProperty("result").GetString()));
        Assert.Equal(JsonValueKind.Null, root.GetProperty("checks")[0].GetProperty("next").ValueKind);
    }

    [Fact]
    public void Flushing_leaves_nothing_behind()
    {
        string directory = System.IO.Directory.CreateTempSubdirectory("am-doctor-").FullName;

        IReadOnlyList<TimeSpan> times = Machine.FlushTimes(directory, TimeProvider.System);

        Assert.InRange(times.Count, 3, 20);
        Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(directory));
        Assert.Equal("ok", DirectoryChecks.Access(Machine.Directory(directory)).Result);
        System.IO.Directory.Delete(directory);
    }

    [Theory]
    [InlineData(1023, "1023 B")]
    [InlineData(212_992, "208 KiB")]
    [InlineData(50L << 20, "50 MiB")]
    [InlineData(3L << 29, "1.5 GiB")]
    public void Sizes_are_readable(long bytes, string expected) => Assert.Equal(expected, Text.Size(bytes));

    private static (int Code, string Text) Show(bool json, IReadOnlyList<DoctorCheck> checks)
    {
        using var output = new StringWriter { NewLine = "\n" };
        int code = DoctorVerb.Show(DoctorReport.Of("0.1.0", checks), Terminal.Create(json, noColour: true, output));
        return (code, output.ToString());
    }
}
