namespace AgentMesh.Mesh.Tests.Cron;

/// <summary>
/// The expected fires of a five-field schedule, found the slow way: every minute of real time is looked at, and what the clocks on the wall show then. It reads
/// the text of crontab(5) and shares nothing with the product: plain numbers, ranges, steps and lists, no names.
/// </summary>
internal sealed class MinuteByMinute
{
    private readonly bool[] _minutes, _hours, _days, _months, _weekdays;
    private readonly bool _anyDay, _anyWeekday, _followsTime;

    public MinuteByMinute(string expression)
    {
        string[] fields = expression.Split(' ');
        _minutes = Field(fields[0], 0, 59);
        _hours = Field(fields[1], 0, 23);
        _days = Field(fields[2], 1, 31);
        _months = Field(fields[3], 1, 12);
        _weekdays = Field(fields[4], 0, 7);
        _weekdays[0] |= _weekdays[7];
        _anyDay = fields[2].StartsWith('*');
        _anyWeekday = fields[4].StartsWith('*');

        // "jobs that run ... with a wildcard in the hour or minute go by the time that passes"
        _followsTime = fields[0].StartsWith('*') || fields[1].StartsWith('*');
    }

    public IEnumerable<DateTimeOffset> Fires(DateTimeOffset after, DateTimeOffset until, TimeZoneInfo zone)
    {
        // The clocks show a time again only within a day of showing it first.
        var shown = new HashSet<DateTime>();
        DateTime? last = null;
        for (DateTimeOffset at = after.AddDays(-1); at <= until; at = at.AddMinutes(1))
        {
            DateTime local = TimeZoneInfo.ConvertTime(at, zone).DateTime;
            bool isDue = _followsTime ? Matches(local) : Matches(local) && !shown.Contains(local);
            if (!_followsTime && last is { } before && local > before.AddMinutes(1))
            {
                // Skipped minutes are due at the first that is shown after them.
                for (DateTime gap = before.AddMinutes(1); gap < local; gap = gap.AddMinutes(1))
                {
                    isDue |= Matches(gap) && !shown.Contains(gap);
                    shown.Add(gap);
                }
            }

            shown.Add(local);
            last = local;
            if (isDue && at > after)
            {
                yield return at;
            }
        }
    }

    private bool Matches(DateTime local)
    {
        bool day = _days[local.Day], weekday = _weekdays[(int)local.DayOfWeek];
        return _minutes[local.Minute] && _hours[local.Hour] && _months[local.Month] && (_anyDay || _anyWeekday ? day && weekday : day || weekday);
    }

    private static bool[] Field(string text, int low, int high)
    {
        bool[] set = new bool[high + 1];
        foreach (string part in text.Split(','))
        {
            string[] halves = part.Split('/');
            string[] ends = halves[0].Split('-');
            int from = halves[0] == "*" ? low : int.Parse(ends[0], System.Globalization.CultureInfo.InvariantCulture);
            int to = halves[0] == "*" ? high : int.Parse(ends[^1], System.Globalization.CultureInfo.InvariantCulture);
            for (int value = from; value <= to; value += halves.Length > 1 ? int.Parse(halves[1], System.Globalization.CultureInfo.InvariantCulture) : 1)
            {
                set[value] = true;
            }
        }

        return set;
    }
}
