using AgentMesh.Errors;
using AgentMesh.Journal.Audit;

namespace AgentMesh.Journal.Tests.Audit;

public sealed class AuditLogTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-audit-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Attempts_come_back_newest_first_with_their_ends_after_a_restart_too()
    {
        using (AuditLog log = Open())
        {
            log.Append(Taken("a", 0));
            log.Append(Taken("b", 1));
            log.Append(Ended("a", 2, "succeeded"));
        }

        using AuditLog again = Open();
        again.Append(Taken("c", 3));
        Assert.Equal(["c -", "b -", "a succeeded"], Show(again));
        Assert.Equal(["c -", "b -"], again.Newest(Noon.AddSeconds(1)).Select(Show));
    }

    [Fact]
    public void A_line_that_was_cut_off_by_a_stop_of_the_machine_is_skipped_and_nothing_else()
    {
        using (AuditLog log = Open())
        {
            log.Append(Taken("a", 0));
            log.Append(Taken("b", 1));
        }

        string file = Assert.Single(Directory.GetFiles(_directory));
        using (FileStream cut = File.OpenWrite(file))
        {
            cut.SetLength(cut.Length - 7);
        }

        using AuditLog again = Open();
        again.Append(Taken("c", 2));
        Assert.Equal(["c -", "a -"], Show(again));
    }

    [Fact]
    public void The_oldest_files_go_and_the_log_stays_within_its_size()
    {
        var settings = new AuditLogSettings(_directory, RetainedBytesMax: 10_000, SegmentBytes: 2_000);
        using AuditLog log = AuditLog.Open(settings, TimeProvider.System);
        for (int i = 0; i < 300; i++)
        {
            log.Append(Taken($"job {i}", i));
            Assert.True(new DirectoryInfo(_directory).EnumerateFiles().Sum(file => file.Length) <= 10_000);
        }

        string[] kept = [.. Show(log)];
        Assert.Equal("job 299 -", kept[0]);
        Assert.True(kept.Length is > 30 and < 100, $"{kept.Length} kept");
        Assert.Equal(kept, Enumerable.Range(300 - kept.Length, kept.Length).Reverse().Select(i => $"job {i} -"));
    }

    [Fact]
    public void A_long_command_is_cut()
    {
        using AuditLog log = Open();
        log.Append(Taken("a", 0) with { Command = new string('x', 100_000) });

        Assert.Equal(AuditRecord.CommandCharsMax + 1, Assert.Single(log.Newest(default)).Taken.Command!.Length);
    }

    [Fact]
    public void A_log_that_cannot_be_written_says_so()
    {
        AuditLog log = Open();
        log.Dispose();

        Assert.Equal(JournalErrors.AuditFailed, Assert.Throws<MeshException>(() => log.Append(Taken("a", 0))).Code);
    }

    [Fact]
    public void A_file_of_the_format_as_documented_is_read()
    {
        File.WriteAllText(
            Path.Combine(_directory, "audit-0000000007.jsonl"),
            """
            {"v":1,"at":"2026-03-01T12:00:00.5+00:00","event":"taken","job":"job/h/u","attempt":2,"home":"h","user":"ann","program":true,"command":"make all"}
            not a line of this log
            {"v":1,"at":"2026-03-01T12:00:09+00:00","event":"ended","job":"job/h/u","attempt":2,"home":"h","outcome":"failed","exitCode":2,"later":"field"}

            """);
        using AuditLog log = Open();

        AuditEntry entry = Assert.Single(log.Newest(default));
        Assert.Equal(("ann", true, "make all", 2, "failed", Noon.AddSeconds(9)), (entry.Taken.User, entry.Taken.Program, entry.Taken.Command, entry.End?.ExitCode, entry.End?.Outcome, entry.EndedAt));
    }

    private AuditLog Open() => AuditLog.Open(new AuditLogSettings(_directory, 1 << 20), TimeProvider.System);

    private static AuditRecord Taken(string job, int second) => new()
    {
        At = Noon.AddSeconds(second), Event = AuditEvent.Taken, Job = job, Attempt = 1, Home = "home", User = "ann", Program = false, Command = "calc 1+2",
    };

    private static AuditRecord Ended(string job, int second, string outcome) => new() { At = Noon.AddSeconds(second), Event = AuditEvent.Ended, Job = job, Attempt = 1, Home = "home", Outcome = outcome };

    private static IEnumerable<string> Show(AuditLog log) => log.Newest(default).Select(Show);

    private static string Show(AuditEntry entry) => $"{entry.Taken.Job} {entry.End?.Outcome ?? "-"}";
}
