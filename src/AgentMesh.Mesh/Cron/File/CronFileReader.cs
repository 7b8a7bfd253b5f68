using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Mesh.Cron.File;

/// <summary>Goes through the lines of a <c>CRON.md</c>.</summary>
internal sealed class CronFileReader
{
    private const string Schedule = "schedule", Command = "command", Enabled = "enabled", On = "on", Zone = "timezone", Missed = "missed", Overlap = "overlap", Jitter = "jitter", Resource = "resource", Priority = "priority", Group = "group", PauseAfter = "pause after", Deliver = "deliver";

    private static readonly string[] Keys = [Schedule, Command, Enabled, On, Zone, Missed, Overlap, Jitter, Resource, Priority, Group, PauseAfter, Deliver];

    private readonly ImmutableArray<CronFileJob>.Builder _jobs = ImmutableArray.CreateBuilder<CronFileJob>();
    private readonly ImmutableArray<CronFileProblem>.Builder _problems = ImmutableArray.CreateBuilder<CronFileProblem>();
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private string? _title;
    private int _line;
    private CronFileProblem? _wrong;

    private CronFileReader()
    {
    }

    public static CronFile Read(string text)
    {
        var reader = new CronFileReader();
        if (text.Length > CronFile.CharsMax)
        {
            reader._problems.Add(new CronFileProblem(1, null, $"the file has more than {CronFile.CharsMax} characters", "keep to one job after the other; long texts belong into files of their own"));
            return reader.Done();
        }

        bool isCode = false;
        int number = 0;
        foreach (ReadOnlySpan<char> each in text.AsSpan().EnumerateLines())
        {
            number++;
            ReadOnlySpan<char> line = each.Trim();
            if (line.StartsWith("```") || line.StartsWith("~~~"))
            {
                isCode = !isCode;
            }
            else if (!isCode)
            {
                reader.Take(line, number);
            }
        }

        reader.EndJob();
        return reader.Done();
    }

    private CronFile Done() => new(_jobs.ToImmutable(), _problems.ToImmutable());

    private void Take(ReadOnlySpan<char> line, int number)
    {
        if (line.Length >= 3 && line.TrimStart('-').IsEmpty)
        {
            EndJob();
        }
        else if (line.StartsWith("## "))
        {
            EndJob();
            _title = line[3..].Trim().ToString();
            _line = number;
        }
        else if (_title is not null && TryReadValue(line, out string? key, out string? value))
        {
            TakeValue(key, value, number);
        }
    }

    private void TakeValue(string key, string value, int number)
    {
        if (Keys.Contains(key))
        {
            if (!_values.TryAdd(key, value))
            {
                _wrong ??= Problem(number, $"**{key}** stands twice in this job", "leave one of them");
            }
        }
        else if (Nearest.Of(key, Keys) is { } near)
        {
            // Taken for text, a misspelt schedule would silently be midnight.
            _wrong ??= Problem(number, $"there is no **{key}**", $"did you mean **{char.ToUpperInvariant(near[0])}{near[1..]}**?");
        }
    }

    /// <summary><c>**Key**: value</c>, also with the colon inside, as an item of a list, and with the value in backticks.</summary>
    private static bool TryReadValue(ReadOnlySpan<char> line, [NotNullWhen(true)] out string? key, [NotNullWhen(true)] out string? value)
    {
        key = value = null;
        if (line.StartsWith("- ") || line.StartsWith("* "))
        {
            line = line[2..].TrimStart();
        }

        int close = line.StartsWith("**") ? line[2..].IndexOf("**") : -1;
        if (close <= 0)
        {
            return false;
        }

        ReadOnlySpan<char> name = line.Slice(2, close).Trim(), rest = line[(close + 4)..].TrimStart();
        bool hasColon = name.EndsWith(":") || rest.StartsWith(":");
        if (name.IsEmpty || !hasColon)
        {
            return false;
        }

        rest = rest.TrimStart(':').Trim();
        if (rest.Length >= 2 && rest[0] == '`' && rest[^1] == '`')
        {
            rest = rest[1..^1].Trim();
        }

        key = name.TrimEnd(':').Trim().ToString().ToLowerInvariant();
        value = rest.ToString();
        return key.Length > 0;
    }

    private void EndJob()
    {
        if (_title is { } title)
        {
            string name = NameOf(title);
            CronFileProblem? wrong = _wrong ?? Check(name);
            if (wrong is null)
            {
                _names.Add(name);
                _jobs.Add(new CronFileJob(_line, title, name, Value(Schedule) ?? CronFile.DefaultSchedule, Value(Command)!, IsTrue(Value(Enabled)) ?? true)
                {
                    On = Value(On), Zone = Value(Zone), Missed = Value(Missed), Overlap = Value(Overlap), Jitter = Value(Jitter),
                    Resources = [.. (Value(Resource) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)],
                    Priority = Number(Priority), Group = Value(Group), PauseAfter = Number(PauseAfter), Deliver = Value(Deliver),
                });
            }
            else
            {
                _problems.Add(wrong with { Name = name });
            }
        }

        _title = null;
        _wrong = null;
        _values.Clear();
    }

    private CronFileProblem? Check(string name)
    {
        if (_names.Contains(name))
        {
            return Problem(_line, $"another job above is called '{name}' too", "give it another title");
        }

        if (Value(Command) is null)
        {
            return Problem(_line, $"the job '{_title}' has no command", "add a line **Command**: followed by what is to be run; texts for a model are not run yet");
        }

        if (new[] { Priority, PauseAfter }.FirstOrDefault(key => Value(key) is not null && Number(key) is null) is { } wrong)
        {
            return Problem(_line, $"**{char.ToUpperInvariant(wrong[0])}{wrong[1..]}** of '{_title}' is '{Value(wrong)}'", "write a whole number");
        }

        return Value(Enabled) is { } enabled && IsTrue(enabled) is null
            ? Problem(_line, $"**Enabled** of '{_title}' is '{enabled}'", "write true or false")
            : _jobs.Count == CronRules.PerDeviceMax ? Problem(_line, $"there are more than {CronRules.PerDeviceMax} jobs", "a device keeps so many") : null;
    }

    private string? Value(string key) => _values.GetValueOrDefault(key) is { Length: > 0 } value ? value : null;

    private int? Number(string key) => int.TryParse(Value(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static bool? IsTrue(string? value) => value?.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" => true,
        "false" or "no" or "off" => false,
        _ => null,
    };

    /// <summary>A title without a letter or digit that a name can have gets a name from its hash.</summary>
    private static string NameOf(string title)
    {
        var name = new StringBuilder();
        foreach (char c in title.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c) || (c is '_' or '.' && name.Length > 0))
            {
                name.Append(c);
            }
            else if (name.Length > 0 && name[^1] != '-')
            {
                name.Append('-');
            }
        }

        string plain = name.ToString(0, Math.Min(name.Length, CronId.NameLengthMax)).TrimEnd('-');
        return plain.Length > 0 ? plain : "job-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(title)).AsSpan(0, 4));
    }

    private static CronFileProblem Problem(int line, string text, string next) => new(line, null, text, next);
}
