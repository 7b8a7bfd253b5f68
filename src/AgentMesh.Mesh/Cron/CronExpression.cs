using System.Collections.Frozen;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Cron;

/// <summary>
/// When something is due: five fields as Vixie's cron reads them (minute, hour, day of month, month, day of week), or a name such as <c>@daily</c>.
/// Knows no clock. Where day of month and day of week are both restricted, that is when neither begins with a star, either of them is enough; otherwise
/// both must fit. See docs/cron.md for what happens when clocks are changed.
/// </summary>
public sealed class CronExpression
{
    /// <summary>Characters of an expression.</summary>
    public const int LengthMax = 256;

    /// <summary>Nothing is looked for beyond. A 29 February on a given weekday comes again within 40 years.</summary>
    public const int HorizonYears = 41;

    private const string Reboot = "@reboot";
    private const string FieldsNext = "five fields are expected: minute, hour, day of month, month, day of week; for example '30 4 * * 1-5', or @hourly, @daily, @weekly, @monthly, @yearly, @reboot";

    private static readonly FrozenDictionary<string, string> Macros = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["@hourly"] = "0 * * * *",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@weekly"] = "0 0 * * 0",
        ["@monthly"] = "0 0 1 * *",
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly CronField[] Fields = [CronField.Minute, CronField.Hour, CronField.DayOfMonth, CronField.Month, CronField.DayOfWeek];

    private readonly string _text;
    private readonly ulong[] _sets;
    private readonly bool _isEitherDayEnough;

    private CronExpression(string text, ulong[] sets, bool isReboot, bool isEitherDayEnough, bool followsElapsedTime)
    {
        _text = text;
        _sets = sets;
        IsReboot = isReboot;
        _isEitherDayEnough = isEitherDayEnough;
        FollowsElapsedTime = followsElapsedTime;
    }

    /// <summary>Due once at each start of the node, and at no time.</summary>
    public bool IsReboot { get; }

    /// <summary>Minute or hour begins with a star: it repeats with the clock, and where clocks are changed it neither makes up for skipped times nor leaves out repeated ones.</summary>
    internal bool FollowsElapsedTime { get; }

    /// <exception cref="MeshException">AM0340 with the position. AM0341: the date never comes.</exception>
    public static CronExpression Parse(string text)
    {
        if (text.Length > LengthMax)
        {
            throw new MeshException(MeshErrors.CronSyntax, $"the expression has {text.Length} characters; {LengthMax} are the most", FieldsNext);
        }

        string trimmed = text.Trim();
        if (trimmed.Equals(Reboot, StringComparison.OrdinalIgnoreCase))
        {
            return new CronExpression(trimmed, [], isReboot: true, false, false);
        }

        if (trimmed.StartsWith('@'))
        {
            return Macros.TryGetValue(trimmed, out string? fields)
                ? ReadFields(trimmed, fields)
                : throw CronSyntax.Error(text, text.IndexOf('@', StringComparison.Ordinal), $"'{trimmed}' is not known", $"known are {string.Join(", ", Macros.Keys.Append(Reboot).Order(StringComparer.Ordinal))}");
        }

        return ReadFields(trimmed, text);
    }

    /// <summary>
    /// The first moment after <paramref name="instant"/> at which it is due on the clocks of <paramref name="zone"/>, in UTC; null when there is none within
    /// <see cref="HorizonYears"/>, and always for <c>@reboot</c>.
    /// </summary>
    public DateTimeOffset? NextAfter(DateTimeOffset instant, TimeZoneInfo zone) => IsReboot ? null : CronTimetable.NextAfter(this, instant, zone);

    public override string ToString() => _text;

    internal bool HasMinute(int minute) => Has(0, minute);

    internal bool HasHour(int hour) => Has(1, hour);

    internal bool HasMonth(int month) => Has(3, month);

    internal bool HasDay(DateTime date)
    {
        bool month = Has(2, date.Day), week = Has(4, (int)date.DayOfWeek);
        return _isEitherDayEnough ? month || week : month && week;
    }

    private bool Has(int field, int value) => (_sets[field] & (1UL << value)) != 0;

    private static CronExpression ReadFields(string name, string text)
    {
        var sets = new ulong[Fields.Length];
        var isStar = new bool[Fields.Length];
        int field = 0, at = 0;
        while (true)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            if (at == text.Length)
            {
                break;
            }

            int end = at;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            if (field == Fields.Length)
            {
                throw CronSyntax.Error(text, at, "there is a sixth field", FieldsNext + "; seconds and years are not known");
            }

            isStar[field] = text[at] == '*';
            sets[field] = Fields[field].Read(text, at, end - at);
            field++;
            at = end;
        }

        if (field < Fields.Length)
        {
            throw CronSyntax.Error(text, text.Length, field == 0 ? "there is nothing" : $"the {Fields[field].Name} is missing", FieldsNext);
        }

        bool isEitherDayEnough = !isStar[2] && !isStar[4];
        if (!isEitherDayEnough && !HasSomeDate(sets[2], sets[3]))
        {
            throw new MeshException(MeshErrors.CronNever, $"'{text.Trim()}' never comes: none of its months has such a day", "correct the day of month or the month; the last day of each month cannot be written, use '0 0 1 * *' for the moment after it");
        }

        return new CronExpression(name, sets, isReboot: false, isEitherDayEnough, isStar[0] || isStar[1]);
    }

    private static bool HasSomeDate(ulong days, ulong months)
    {
        const int leapYear = 2024;
        for (int month = 1; month <= 12; month++)
        {
            ulong inMonth = (1UL << (DateTime.DaysInMonth(leapYear, month) + 1)) - 1;
            if ((months & (1UL << month)) != 0 && (days & inMonth) != 0)
            {
                return true;
            }
        }

        return false;
    }
}
