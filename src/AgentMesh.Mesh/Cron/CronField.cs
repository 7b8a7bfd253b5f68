using System.Collections.Frozen;
using System.Globalization;

namespace AgentMesh.Mesh.Cron;

/// <summary>One of the five fields: which values it may have, and how a text becomes a set of them.</summary>
internal sealed record CronField(string Name, int Min, int Max, FrozenDictionary<string, int> Names)
{
    // A step beyond the field is what Vixie's cron takes too: only the first value is left.
    private const int NumberMax = 9_999;

    public static readonly CronField Minute = new("minute", 0, 59, NoNames);
    public static readonly CronField Hour = new("hour", 0, 23, NoNames);
    public static readonly CronField DayOfMonth = new("day of month", 1, 31, NoNames);
    public static readonly CronField Month = new("month", 1, 12, Numbered(1, "jan feb mar apr may jun jul aug sep oct nov dec"));

    /// <summary>Sunday is 0 and 7.</summary>
    public static readonly CronField DayOfWeek = new("day of week", 0, 7, Numbered(0, "sun mon tue wed thu fri sat"));

    private static FrozenDictionary<string, int> NoNames => FrozenDictionary<string, int>.Empty;

    /// <summary>A bit for each value: lists of values, ranges and stars, the latter two with a step.</summary>
    /// <param name="at">Where the field begins in the whole text.</param>
    public ulong Read(string whole, int at, int length)
    {
        ulong set = 0;
        int end = at + length;
        while (true)
        {
            set |= ReadPart(whole, ref at, end);
            if (at == end)
            {
                return set;
            }

            if (whole[at] != ',')
            {
                throw CronSyntax.Error(whole, at, $"'{whole[at]}' cannot stand in the {Name}", "a field has numbers, ranges (1-5), steps (*/10, 8-18/2) and lists of them (1,3,5); L, W, # and ? are not known");
            }

            at++;
        }
    }

    private ulong ReadPart(string whole, ref int at, int end)
    {
        int start = at, first = Min, last = Max;
        bool isRange = true;
        if (at < end && whole[at] == '*')
        {
            at++;
            // 0 and 7 are the same day: a step counts seven days, not eight.
            last = this == DayOfWeek ? 6 : Max;
        }
        else
        {
            first = last = ReadValue(whole, ref at, end);
            isRange = at < end && whole[at] == '-';
            if (isRange)
            {
                at++;
                int lastAt = at;
                last = ReadValue(whole, ref at, end);
                if (this == DayOfWeek && last == 0 && first > 0 && !char.IsAsciiDigit(whole[lastAt]))
                {
                    last = 7;
                }

                if (last < first)
                {
                    string hint = this == DayOfWeek && last == 0 ? "Sunday at the end of a range is 7" : "write it as two ranges, for example 22-23,0-5";
                    throw CronSyntax.Error(whole, start, $"the range ends before it begins: {first}-{last}", hint);
                }
            }
        }

        int step = 1;
        if (at < end && whole[at] == '/')
        {
            if (!isRange)
            {
                throw CronSyntax.Error(whole, at, "a step needs a star or a range before it", $"write {whole[start..at]}-{Max}{whole[at..end]}");
            }

            at++;
            int stepAt = at;
            step = ReadNumber(whole, ref at, end);
            if (step == 0)
            {
                throw CronSyntax.Error(whole, stepAt, "a step is 1 or more", "leave the step out for every value");
            }
        }

        ulong set = 0;
        for (int value = first; value <= last; value += step)
        {
            set |= 1UL << (this == DayOfWeek && value == 7 ? 0 : value);
        }

        return set;
    }

    private int ReadValue(string whole, ref int at, int end)
    {
        int start = at;
        if (at < end && char.IsAsciiLetter(whole[at]))
        {
            while (at < end && char.IsAsciiLetter(whole[at]))
            {
                at++;
            }

            string name = whole[start..at];
            return Names.TryGetValue(name.ToLowerInvariant(), out int named)
                ? named
                : throw CronSyntax.Error(whole, start, $"'{name}' is no {Name}", Names.Count == 0 ? $"the {Name} is {Min} to {Max}" : $"write {Min} to {Max} or one of: {string.Join(", ", Names.OrderBy(pair => pair.Value).Select(pair => pair.Key))}");
        }

        int value = ReadNumber(whole, ref at, end);
        return value >= Min && value <= Max ? value : throw CronSyntax.Error(whole, start, $"{value} is no {Name}", $"the {Name} is {Min} to {Max}");
    }

    private int ReadNumber(string whole, ref int at, int end)
    {
        int start = at;
        while (at < end && char.IsAsciiDigit(whole[at]))
        {
            at++;
        }

        if (at == start)
        {
            throw CronSyntax.Error(whole, at, $"a number is missing in the {Name}", $"the {Name} is {Min} to {Max}");
        }

        return int.TryParse(whole.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= NumberMax
            ? value
            : throw CronSyntax.Error(whole, start, "the number is too large", $"the {Name} is {Min} to {Max}");
    }

    private static FrozenDictionary<string, int> Numbered(int first, string names) =>
        names.Split(' ').Select((name, index) => KeyValuePair.Create(name, first + index)).ToFrozenDictionary(StringComparer.Ordinal);
}
