using AgentMesh.Mesh.Cron.File;

namespace AgentMesh.Mesh.Tests.Cron;

public sealed class CronFileTests
{
    [Fact]
    public void A_file_as_it_was_written_for_ClawChat_is_read()
    {
        CronFile file = CronFile.Parse(
            """
            # Scheduled jobs

            Text before the first job belongs to nobody.

            ---

            ## Daily Backup
            **Schedule**: 30 3 * * *
            **Command**: tar cf /backup/home.tar ~
            **Enabled**: true

            Keeps the home directory. **Important**: check the disk first.

            ---

            ## Disk check
            **Schedule**: @hourly
            **Command**: `df -h | mail -s disk me`
            **Enabled**: false
            ---
            ## Midnight
            **Command**: @gpu run -- date
            """);

        Assert.Empty(file.Problems);
        Assert.Equal(
            [
                new CronFileJob(7, "Daily Backup", "daily-backup", "30 3 * * *", "tar cf /backup/home.tar ~", true),
                new CronFileJob(16, "Disk check", "disk-check", "@hourly", "df -h | mail -s disk me", false),
                new CronFileJob(21, "Midnight", "midnight", "0 0 * * *", "@gpu run -- date", true),
            ],
            file.Jobs.ToArray());
    }

    [Fact]
    public void Everything_a_schedule_has_can_be_given_and_in_the_ways_people_write_it()
    {
        CronFile file = CronFile.Parse("## a\r\n- **Command:** x\r\n- **ON**: @gpu\r\n* **Timezone**: Europe/Berlin\r\n**missed**: once\r\n**Overlap** : allow\r\n**Jitter**: 5m\r\n**Deliver**: `https://example.org/a on failure`\r\n");

        Assert.Empty(file.Problems);
        Assert.Equal(new CronFileJob(1, "a", "a", "0 0 * * *", "x", true) { On = "@gpu", Zone = "Europe/Berlin", Missed = "once", Overlap = "allow", Jitter = "5m", Deliver = "https://example.org/a on failure" }, Assert.Single(file.Jobs));
    }

    [Theory]
    [InlineData("## a\n**Schedule**: @daily", 1, "a", "has no command")]
    [InlineData("## a\n**Command**: x\n**Schedul**: @daily", 3, "a", "no **schedul**")]
    [InlineData("## a\n**Command**: x\n**Command**: y", 3, "a", "twice")]
    [InlineData("## a\n**Command**: x\n**Enabled**: perhaps", 1, "a", "'perhaps'")]
    [InlineData("## a b\n**Command**: x\n---\n## A-B\n**Command**: y", 4, "a-b", "'a-b' too")]
    public void What_cannot_be_used_is_a_problem_with_its_line_and_does_not_touch_the_other_jobs(string text, int line, string name, string says)
    {
        CronFile file = CronFile.Parse(text + "\n---\n## good\n**Command**: z\n");

        CronFileProblem problem = Assert.Single(file.Problems);
        Assert.Equal((line, name), (problem.Line, problem.Name));
        Assert.Contains(says, problem.Text, StringComparison.Ordinal);
        Assert.Equal("good", file.Jobs[^1].Name);
    }

    [Fact]
    public void Code_blocks_and_what_stands_outside_of_jobs_are_text()
    {
        CronFile file = CronFile.Parse("**Command**: nobody\n```\n## not a job\n**Command**: x\n```\n## a\n**Command**: y\n```sh\n**Schedule**: never\n---\n```\nmore");

        Assert.Equal(("a", "0 0 * * *"), (Assert.Single(file.Jobs).Name, file.Jobs[0].Schedule));
    }

    [Theory]
    [InlineData("  Übung №1!  ", "bung-1")]
    [InlineData("a.b_c", "a.b_c")]
    [InlineData("日次", "job-1a2e5a5a")]
    public void A_title_becomes_a_name_that_stays(string title, string name)
    {
        string found = Assert.Single(CronFile.Parse($"## {title}\n**Command**: x").Jobs).Name;
        if (name.StartsWith("job-", StringComparison.Ordinal))
        {
            Assert.Matches("^job-[0-9a-f]{8}$", found);
        }
        else
        {
            Assert.Equal(name, found);
        }
    }

    [Fact]
    public void Whatever_the_text_is_reading_ends_and_keeps_to_its_bounds()
    {
        string whole = "## a\n**Command**: x\n**Schedule**: `* * * * *`\n---\n## b\n- **On:** @q\n```\n**";
        for (int cut = 0; cut <= whole.Length; cut++)
        {
            CronFile.Parse(whole[..cut]);
            CronFile.Parse(whole[cut..]);
        }

        Assert.Contains("more than", Assert.Single(CronFile.Parse(new string('#', CronFile.CharsMax + 1)).Problems).Text, StringComparison.Ordinal);
        string many = string.Concat(Enumerable.Range(0, 1_010).Select(i => $"## j{i}\n**Command**: x\n"));
        Assert.Equal((1_000, 10), (CronFile.Parse(many).Jobs.Length, CronFile.Parse(many).Problems.Length));
        Assert.Equal(63, CronFile.Parse($"## {new string('x', 500)}\n**Command**: x").Jobs[0].Name.Length);
    }
}
