using System.Globalization;

namespace Akka.Configuration.Hocon;

/// <summary>Durations and sizes with the units of the HOCON specification.</summary>
internal static class HoconUnits
{
    private const string Powers = "kmgtpe";

    public static bool TryDuration(string? text, bool allowInfinite, out TimeSpan span)
    {
        span = default;
        if (text is null)
        {
            return false;
        }

        if (allowInfinite && text.Trim().Equals("infinite", StringComparison.OrdinalIgnoreCase))
        {
            span = Timeout.InfiniteTimeSpan;
            return true;
        }

        if (!TrySplit(text, out decimal number, out string unit) || TicksOf(unit) is not { } ticks)
        {
            return false;
        }

        decimal total = number * ticks;
        if (total is < long.MinValue or > long.MaxValue)
        {
            return false;
        }

        span = new TimeSpan((long)total);
        return true;
    }

    public static bool TryBytes(string text, out long bytes)
    {
        bytes = 0;
        if (!TrySplit(text, out decimal number, out string unit) || FactorOf(unit) is not { } factor)
        {
            return false;
        }

        decimal total = number * factor;
        if (total is < 0 or > long.MaxValue)
        {
            return false;
        }

        bytes = (long)total;
        return true;
    }

    private static decimal? TicksOf(string unit) => unit switch
    {
        "ns" or "nano" or "nanos" or "nanosecond" or "nanoseconds" => 0.01m,
        "us" or "micro" or "micros" or "microsecond" or "microseconds" => TimeSpan.TicksPerMicrosecond,
        "" or "ms" or "milli" or "millis" or "millisecond" or "milliseconds" => TimeSpan.TicksPerMillisecond,
        "s" or "second" or "seconds" => TimeSpan.TicksPerSecond,
        "m" or "minute" or "minutes" => TimeSpan.TicksPerMinute,
        "h" or "hour" or "hours" => TimeSpan.TicksPerHour,
        "d" or "day" or "days" => TimeSpan.TicksPerDay,
        _ => null,
    };

    // kB is 1000, K, Ki and KiB are 1024; words exist for both.
    private static decimal? FactorOf(string unit)
    {
        switch (unit)
        {
            case "" or "b" or "B" or "byte" or "bytes":
                return 1;
            case "k" or "m" or "g" or "t" or "p" or "e":
                return Power(1024, unit[0]);
        }

        string lower = unit.ToLowerInvariant();
        int power = Powers.IndexOf(lower[0], StringComparison.Ordinal);
        if (power < 0)
        {
            return null;
        }

        string[] thousands = ["kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte", "exabyte"];
        string[] binaries = ["kibibyte", "mebibyte", "gibibyte", "tebibyte", "pebibyte", "exbibyte"];
        return lower[1..] switch
        {
            "b" => Power(1000, lower[0]),
            "" or "i" or "ib" => Power(1024, lower[0]),
            _ when lower == thousands[power] || lower == thousands[power] + "s" => Power(1000, lower[0]),
            _ when lower == binaries[power] || lower == binaries[power] + "s" => Power(1024, lower[0]),
            _ => null,
        };
    }

    private static decimal Power(decimal unit, char prefix)
    {
        decimal factor = 1;
        for (int i = Powers.IndexOf(prefix, StringComparison.Ordinal); i >= 0; i--)
        {
            factor *= unit;
        }

        return factor;
    }

    private static bool TrySplit(string text, out decimal number, out string unit)
    {
        string trimmed = text.Trim();
        int end = 0;
        while (end < trimmed.Length && (char.IsAsciiDigit(trimmed[end]) || trimmed[end] is '.' or '-' or '+'))
        {
            end++;
        }

        unit = trimmed[end..].Trim();
        return decimal.TryParse(trimmed[..end], NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }
}
