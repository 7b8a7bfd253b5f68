using AgentMesh.Mesh.Cron;

namespace AgentMesh.Mesh.Tests.Cron;

/// <summary>Around changes of clocks, with expressions by chance: what the product computes is what a walk through the minutes finds.</summary>
public sealed class MinuteByMinuteTests
{
    private static readonly (string Zone, DateTimeOffset[] Changes)[] Places =
    [
        ("America/New_York", [Utc(2026, 3, 8, 7), Utc(2026, 11, 1, 6)]),
        ("Europe/Berlin", [Utc(2026, 3, 29, 1), Utc(2026, 10, 25, 1)]),
        ("Pacific/Auckland", [Utc(2026, 4, 4, 14), Utc(2026, 9, 26, 14)]),
        ("Australia/Lord_Howe", [Utc(2026, 4, 4, 15), Utc(2026, 10, 3, 15)]),
        ("UTC", [Utc(2026, 2, 28, 23), Utc(2028, 2, 29, 12)]),
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_fire_around_a_change_of_clocks_is_found_and_no_other(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 12; round++)
        {
            string expression = Expression(random);
            (string name, DateTimeOffset[] changes) = Places[random.Next(Places.Length)];
            TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(name);
            DateTimeOffset after = changes[random.Next(changes.Length)].AddMinutes(-random.Next(60, 2_000)), until = after.AddDays(3);
            DateTimeOffset[] expected = [.. new MinuteByMinute(expression).Fires(after, until, zone)];

            CronExpression read = CronExpression.Parse(expression);
            var found = new List<DateTimeOffset>();
            for (DateTimeOffset? at = read.NextAfter(after, zone); at <= until; at = read.NextAfter(at.Value, zone))
            {
                found.Add(at.Value.ToUniversalTime());
            }

            Assert.True(expected.Select(each => each.ToUniversalTime()).SequenceEqual(found), $"seed {seed}: '{expression}' in {name} after {after:u}:\n expected {Shown(expected)}\n found    {Shown(found)}");
        }
    }

    private static string Expression(Random random)
    {
        string minute = random.Next(5) switch { 0 => "*", 1 => "*/" + random.Next(5, 40), 2 => $"{random.Next(60)},{random.Next(60)}", _ => random.Next(60).ToString(System.Globalization.CultureInfo.InvariantCulture) };
        string hour = random.Next(5) switch { 0 => "*", 1 => "*/" + random.Next(2, 9), 2 => "1-3", 3 => $"{random.Next(4)},{random.Next(24)}", _ => random.Next(5).ToString(System.Globalization.CultureInfo.InvariantCulture) };
        string day = random.Next(6) switch { 0 => $"{random.Next(1, 29)},{random.Next(1, 32)}", 1 => "*/2", 2 => "1-15", _ => "*" };
        string month = random.Next(8) == 0 ? "2-4,9-11" : "*";
        string weekday = random.Next(6) switch { 0 => "0,6", 1 => "1-5", 2 => "7", _ => "*" };
        return $"{minute} {hour} {day} {month} {weekday}";
    }

    private static string Shown(IEnumerable<DateTimeOffset> times) => string.Join(' ', times.Take(20).Select(each => each.ToString("u", System.Globalization.CultureInfo.InvariantCulture)));

    private static DateTimeOffset Utc(int year, int month, int day, int hour) => new(year, month, day, hour, 0, 0, TimeSpan.Zero);
}
