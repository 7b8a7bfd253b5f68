using System.Globalization;

namespace Akka.Configuration.Hocon;

/// <summary>
/// What stands behind a key: one element, or several that HOCON joins (texts to a text, arrays to an array, objects by merging).
/// </summary>
public class HoconValue : IMightBeAHoconObject
{
    public HoconValue()
        : this([])
    {
    }

    public HoconValue(List<IHoconElement> values, bool adoptedFromFallback = true)
    {
        Values = values;
        AdoptedFromFallback = adoptedFromFallback;
    }

    public List<IHoconElement> Values { get; }

    public bool IsEmpty => Values.Count == 0 || Values.All(value => value is HoconSubstitution { ResolvedValue: null });

    internal bool AdoptedFromFallback { get; }

    public void AppendValue(IHoconElement value) => Values.Add(value);

    public void Clear() => Values.Clear();

    /// <summary>Replaces what was there.</summary>
    public void NewValue(IHoconElement value)
    {
        Values.Clear();
        Values.Add(value);
    }

    public Config AtKey(string key)
    {
        var holder = new HoconObject();
        holder.Items[key] = this;
        return new Config(new HoconRoot(new HoconValue([holder])));
    }

    public Config ToConfig() => new(new HoconRoot(this));

    public bool IsString() => !IsEmpty && Values.All(value => value.IsString() || value is HoconSubstitution { ResolvedValue: null });

    public bool IsArray() => Values.Any(value => value.IsArray()) && !IsObject();

    public bool IsObject() => Values.Any(value => value is HoconObject or HoconSubstitution) && GetObject() is not null;

    /// <summary>All objects of the value merged; null where there is none.</summary>
    public HoconObject GetObject()
    {
        HoconObject? only = null;
        bool isMerged = false;
        foreach (IHoconElement value in Values)
        {
            HoconObject? next = value switch
            {
                HoconObject direct => direct,
                HoconSubstitution reference => reference.GetObject(),
                _ => null,
            };
            if (next is null)
            {
                continue;
            }

            if (only is null)
            {
                only = next;
                continue;
            }

            if (!isMerged)
            {
                // The parts stay as they are: others may hold them.
                HoconObject merged = new();
                merged.Merge(only);
                only = merged;
                isMerged = true;
            }

            only.Merge(next);
        }

        return only!;
    }

    /// <summary>The value under <paramref name="key"/>, or null.</summary>
    public HoconValue? GetChildObject(string key) => GetObject()?.GetKey(key);

    /// <summary>Null for <c>null</c>, an array or an object.</summary>
    public string GetString()
    {
        if (!IsString())
        {
            return null!;
        }

        return Values.Count == 1 ? Values[0].GetString()! : string.Concat(Values.Select(value => value.GetString()));
    }

    public IList<HoconValue> GetArray() => Values.Count == 1 && Values[0] is HoconObject numbered
        ? numbered.GetArray()
        : [.. Values.Where(value => value.IsArray()).SelectMany(value => value.GetArray())];

    public bool GetBoolean() => GetString()?.ToLowerInvariant() switch
    {
        "on" or "true" or "yes" => true,
        "off" or "false" or "no" => false,
        _ => throw Wrong("a boolean (true, false, on, off, yes, no)"),
    };

    public decimal GetDecimal() => Number(decimal.TryParse(GetString(), NumberStyles.Number, CultureInfo.InvariantCulture, out decimal value), value);

    public float GetFloat() => Number(float.TryParse(GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out float value), value);

    public double GetDouble() => Number(double.TryParse(GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double value), value);

    public long GetLong() => Number(long.TryParse(GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value), value);

    public int GetInt() => Number(int.TryParse(GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value), value);

    public byte GetByte() => Number(byte.TryParse(GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out byte value), value);

    public IList<decimal> GetDecimalList() => [.. GetArray().Select(value => value.GetDecimal())];

    public IList<float> GetFloatList() => [.. GetArray().Select(value => value.GetFloat())];

    public IList<double> GetDoubleList() => [.. GetArray().Select(value => value.GetDouble())];

    public IList<int> GetIntList() => [.. GetArray().Select(value => value.GetInt())];

    public IList<long> GetLongList() => [.. GetArray().Select(value => value.GetLong())];

    public IList<bool> GetBooleanList() => [.. GetArray().Select(value => value.GetBoolean())];

    public IList<byte> GetByteList() => [.. GetArray().Select(value => value.GetByte())];

    public IList<string> GetStringList() => [.. GetArray().Select(value => value.GetString()!)];

    /// <summary>A number without unit is milliseconds.</summary>
    public TimeSpan GetTimeSpan(bool allowInfinite = true) =>
        HoconUnits.TryDuration(GetString(), allowInfinite, out TimeSpan span) ? span : throw Wrong("a duration such as 500ms, 10s or 5m");

    /// <summary>A number without unit is bytes; null for an empty value.</summary>
    public long? GetByteSize() => IsEmpty || GetString() is not { } text ? null
        : HoconUnits.TryBytes(text, out long bytes) ? bytes
        : throw Wrong("a size such as 64KiB or 10GiB");

    public override string ToString() => ToString(0);

    /// <param name="indent">Levels of two spaces before the lines of an object.</param>
    public virtual string ToString(int indent)
    {
        if (GetObject() is { } inner)
        {
            string space = new(' ', indent * 2);
            return inner.Items.Count == 0 ? "{}" : $"{{\n{inner.ToString(indent + 1)}\n{space}}}";
        }

        if (IsArray())
        {
            return $"[{string.Join(", ", GetArray())}]";
        }

        return IsEmpty ? "\"\"" : HoconText.Quote(GetString());
    }

    private T Number<T>(bool isNumber, T value) => isNumber ? value : throw Wrong($"a number ({typeof(T).Name})");

    private FormatException Wrong(string expected) => new($"'{(IsString() ? GetString() : ToString())}' is not {expected}");
}
