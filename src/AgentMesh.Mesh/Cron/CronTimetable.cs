namespace AgentMesh.Mesh.Cron;

/// <summary>
/// From the clocks on the wall to moments. A time that a change of clocks skips is due at the first moment after the gap, and one that it repeats is due the
/// first time only; where the expression follows elapsed time, a skipped time is not due and a repeated one is due twice. These are the rules of Vixie's cron.
/// </summary>
internal static class CronTimetable
{
    // Offsets lie between -12 h and +14 h; a change of the date line skips or repeats a day. Never are there two changes so close.
    private static readonly TimeSpan AroundChange = TimeSpan.FromHours(40);

    public static DateTimeOffset? NextAfter(CronExpression expression, DateTimeOffset instant, TimeZoneInfo zone)
    {
        if (instant.Year + CronExpression.HorizonYears >= DateTime.MaxValue.Year || instant.Year <= DateTime.MinValue.Year + 1)
        {
            return null;
        }

        // Clocks that are put back show times again: then the search begins early enough to see them, and goes on until nothing earlier can follow.
        DateTime local = LocalOf(instant, zone);
        DateTime from = local - PutBack(instant, zone);
        DateTimeOffset? best = null;
        DateTime last = local.AddYears(CronExpression.HorizonYears);
        foreach (DateTime time in TimesFrom(expression, from, last))
        {
            if (best is { } found && time > LocalOf(found, zone) + PutBack(found, zone))
            {
                break;
            }

            foreach (DateTimeOffset moment in MomentsOf(time, zone, expression.FollowsElapsedTime))
            {
                if (moment > instant && !(best <= moment))
                {
                    best = moment;
                }
            }
        }

        return best;
    }

    /// <summary>What the clocks on the wall show whenever it is due, in their order.</summary>
    private static IEnumerable<DateTime> TimesFrom(CronExpression expression, DateTime from, DateTime last)
    {
        DateTime date = from.Date;
        while (date <= last)
        {
            if (!expression.HasMonth(date.Month))
            {
                date = new DateTime(date.Year, date.Month, 1).AddMonths(1);
                continue;
            }

            if (expression.HasDay(date))
            {
                for (int hour = date == from.Date ? from.Hour : 0; hour < 24; hour++)
                {
                    for (int minute = 0; expression.HasHour(hour) && minute < 60; minute++)
                    {
                        DateTime time = date.AddMinutes((hour * 60) + minute);
                        if (expression.HasMinute(minute) && time >= from.AddMinutes(-1))
                        {
                            yield return time;
                        }
                    }
                }
            }

            date = date.AddDays(1);
        }
    }

    private static IEnumerable<DateTimeOffset> MomentsOf(DateTime local, TimeZoneInfo zone, bool followsElapsedTime)
    {
        var asUtc = new DateTimeOffset(local, TimeSpan.Zero);
        TimeSpan before = zone.GetUtcOffset(asUtc - AroundChange), after = zone.GetUtcOffset(asUtc + AroundChange);
        if (before == after)
        {
            return [asUtc - before];
        }

        DateTimeOffset[] shown = [.. ((DateTimeOffset[])[asUtc - before, asUtc - after]).Where(moment => LocalOf(moment, zone) == local).Order()];
        return (shown, followsElapsedTime) switch
        {
            ([], true) => [],
            ([], false) => [EndOfGap(local, asUtc, zone)],
            (_, true) => shown,
            (_, false) => [shown[0]],
        };
    }

    /// <summary>The first whole second at which the clocks show more than <paramref name="local"/>.</summary>
    private static DateTimeOffset EndOfGap(DateTime local, DateTimeOffset asUtc, TimeZoneInfo zone)
    {
        DateTimeOffset low = asUtc - AroundChange;
        long less = 0, more = (long)(AroundChange + AroundChange).TotalSeconds;
        while (more - less > 1)
        {
            long middle = (less + more) / 2;
            if (LocalOf(low.AddSeconds(middle), zone) > local)
            {
                more = middle;
            }
            else
            {
                less = middle;
            }
        }

        return low.AddSeconds(more);
    }

    /// <summary>By how much the clocks are put back about this time.</summary>
    private static TimeSpan PutBack(DateTimeOffset instant, TimeZoneInfo zone)
    {
        TimeSpan back = zone.GetUtcOffset(instant - AroundChange) - zone.GetUtcOffset(instant + AroundChange);
        return back > TimeSpan.Zero ? back : TimeSpan.Zero;
    }

    private static DateTime LocalOf(DateTimeOffset instant, TimeZoneInfo zone) =>
        DateTime.SpecifyKind(instant.UtcDateTime + zone.GetUtcOffset(instant), DateTimeKind.Unspecified);
}
