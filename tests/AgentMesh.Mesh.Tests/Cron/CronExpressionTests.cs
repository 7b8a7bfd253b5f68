using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Cron;

namespace AgentMesh.Mesh.Tests.Cron;

public sealed class CronExpressionTests
{
    private static readonly DateTimeOffset From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Every_row_of_the_table_fires_as_two_others_say()
    {
        string[] rows = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Cron", "cron-table.tsv")).Where(line => !line.StartsWith('#'))];
        Assert.True(rows.Select(row => row.Split('\t')[0]).Distinct(StringComparer.Ordinal).Count() >= 200);
        var wrong = new List<string>();
        foreach (string row in rows)
        {
            string[] cells = row.Split('\t');
            CronExpression expression = CronExpression.Parse(cells[0]);
            TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(cells[1]);
            DateTimeOffset at = Time(cells[2]);
            foreach (string expected in cells[3].Split(' '))
            {
                DateTimeOffset? next = expression.NextAfter(at, zone);
                if (next != Time(expected))
                {
                    wrong.Add($"{cells[0]} in {cells[1]} after {at:u}: {expected}, not {next:u}");
                    break;
                }

                at = next.Value;
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("", 1, "nothing")]
    [InlineData("* * * *", 8, "day of week is missing")]
    [InlineData("* * * * * *", 11, "sixth")]
    [InlineData("60 * * * *", 1, "60 is no minute")]
    [InlineData("* 24 * * *", 3, "24 is no hour")]
    [InlineData("* * 0 * *", 5, "0 is no day of month")]
    [InlineData("* * * 13 *", 7, "13 is no month")]
    [InlineData("* * * * 8", 9, "8 is no day of week")]
    [InlineData("* * * foo *", 7, "'foo'")]
    [InlineData("* * * * mondays", 9, "'mondays'")]
    [InlineData("mon * * * *", 1, "'mon'")]
    [InlineData("5-1 * * * *", 1, "before it begins")]
    [InlineData("* * * * 5-0", 9, "before it begins")]
    [InlineData("*/0 * * * *", 3, "step")]
    [InlineData("5/10 * * * *", 2, "star or a range")]
    [InlineData("*/ * * * *", 3, "missing")]
    [InlineData("1, * * * *", 3, "missing")]
    [InlineData("1-2-3 * * * *", 4, "'-'")]
    [InlineData("** * * * *", 2, "'*'")]
    [InlineData("* * ? * *", 5, "missing")]
    [InlineData("* * L * *", 5, "'L'")]
    [InlineData("* * * * 1#2", 10, "'#'")]
    [InlineData("-1 * * * *", 1, "missing")]
    [InlineData("99999999999999999999 * * * *", 1, "too large")]
    [InlineData("@fortnightly", 1, "@fortnightly")]
    [InlineData("@", 1, "'@'")]
    public void What_cannot_be_read_is_refused_with_code_position_and_next_step(string text, int position, string says)
    {
        MeshException refused = Assert.Throws<MeshException>(() => CronExpression.Parse(text));

        Assert.Equal(MeshErrors.CronSyntax, refused.Code);
        Assert.StartsWith($"position {position}: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.False(string.IsNullOrEmpty(refused.NextStep));
    }

    [Fact]
    public void An_expression_is_bounded() => Assert.Throws<MeshException>(() => CronExpression.Parse(string.Join(',', Enumerable.Repeat("1", 1_000)) + " * * * *"));

    [Theory]
    [InlineData("0 0 31 2 *")]
    [InlineData("0 0 30 feb *")]
    [InlineData("0 0 31 4,6,9,11 *")]
    [InlineData("* * 30-31 2 */2")]
    public void A_date_that_never_comes_is_refused(string text) => Assert.Equal(MeshErrors.CronNever, Assert.Throws<MeshException>(() => CronExpression.Parse(text)).Code);

    [Fact]
    public void A_leap_day_is_found_across_eight_years()
    {
        var before2100 = new DateTimeOffset(2096, 3, 1, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal(new DateTimeOffset(2104, 2, 29, 0, 0, 0, TimeSpan.Zero), CronExpression.Parse("0 0 29 2 *").NextAfter(before2100, TimeZoneInfo.Utc));

        // A leap day that is a Sunday, where both must fit.
        Assert.Equal(new DateTimeOffset(2032, 2, 29, 0, 0, 0, TimeSpan.Zero), CronExpression.Parse("0 0 29 2 */7").NextAfter(From, TimeZoneInfo.Utc));
    }

    [Fact]
    public void The_end_of_time_is_reached_without_a_fault()
    {
        CronExpression daily = CronExpression.Parse("@daily");
        Assert.Null(daily.NextAfter(DateTimeOffset.MaxValue, TimeZoneInfo.Utc));
        Assert.Null(daily.NextAfter(DateTimeOffset.MinValue, TimeZoneInfo.Utc));
    }

    [Fact]
    public void Reboot_is_due_at_no_time()
    {
        CronExpression reboot = CronExpression.Parse(" @Reboot ");
        Assert.True(reboot.IsReboot);
        Assert.Null(reboot.NextAfter(From, TimeZoneInfo.Utc));
    }

    [Theory]
    [InlineData("America/New_York", 2026)]
    [InlineData("Europe/Berlin", 2026)]
    [InlineData("Australia/Lord_Howe", 2026)]
    [InlineData("America/St_Johns", 2010)]
    [InlineData("Africa/Casablanca", 2026)]
    [InlineData("Pacific/Apia", 2011)]
    public void Moments_follow_each_other_all_year_and_a_star_misses_no_minute(string name, int year)
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(name);
        CronExpression halfHours = CronExpression.Parse("*/30 * * * *"), fixedTime = CronExpression.Parse("30 2 * * *");
        var end = new DateTimeOffset(year + 1, 1, 2, 0, 0, 0, TimeSpan.Zero);
        int days = 0;
        for (DateTimeOffset at = new(year, 1, 1, 0, 0, 0, TimeSpan.Zero); at < end;)
        {
            DateTimeOffset next = halfHours.NextAfter(at, zone)!.Value;
            Assert.Equal(TimeSpan.FromMinutes(30), next - at);
            at = next;
        }

        for (DateTimeOffset at = new(year, 1, 1, 0, 0, 0, TimeSpan.Zero); at < end; days++)
        {
            DateTimeOffset next = fixedTime.NextAfter(at, zone)!.Value;
            Assert.InRange((next - at).TotalHours, 0, 25.5);
            at = next;
        }

        Assert.InRange(days, 365, 368);
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
