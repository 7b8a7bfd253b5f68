namespace Akka.Configuration.Hocon;

/// <summary>Keys and their values.</summary>
public class HoconObject : IHoconElement
{
    public Dictionary<string, HoconValue> Items { get; } = new(StringComparer.Ordinal);

    /// <summary>Nested dictionaries, lists and texts in place of HOCON elements.</summary>
    public IDictionary<string, object?> Unwrapped => Items.ToDictionary(
        item => item.Key,
        item => item.Value.IsObject() ? item.Value.GetObject()!.Unwrapped
            : item.Value.IsArray() ? item.Value.GetArray().Select(each => (object?)each.GetString()).ToList()
            : (object?)item.Value.GetString(),
        StringComparer.Ordinal);

    public bool IsString() => false;

    public string GetString() => throw new InvalidOperationException("an object is not a text");

    public bool IsArray() => false;

    public IList<HoconValue> GetArray()
    {
        // HOCON reads an object with whole numbers as keys as an array where one is asked for.
        var numbered = new SortedDictionary<int, HoconValue>();
        foreach ((string key, HoconValue value) in Items)
        {
            if (int.TryParse(key, System.Globalization.CultureInfo.InvariantCulture, out int index) && index >= 0)
            {
                numbered[index] = value;
            }
        }

        return [.. numbered.Values];
    }

    /// <summary>Null where there is no such key.</summary>
    public HoconValue? GetKey(string key) => Items.GetValueOrDefault(key);

    public HoconValue GetOrCreateKey(string key)
    {
        if (!Items.TryGetValue(key, out HoconValue? value))
        {
            Items[key] = value = new HoconValue();
        }

        return value;
    }

    /// <summary>The other's keys win; objects under the same key are merged.</summary>
    public void Merge(HoconObject other)
    {
        foreach ((string key, HoconValue theirs) in other.Items)
        {
            if (Items.TryGetValue(key, out HoconValue? mine) && mine.IsObject() && theirs.IsObject())
            {
                HoconObject merged = new();
                merged.Merge(mine.GetObject()!);
                merged.Merge(theirs.GetObject()!);
                Items[key] = new HoconValue([merged]);
            }
            else
            {
                Items[key] = theirs;
            }
        }
    }

    public override string ToString() => ToString(0);

    /// <param name="indent">Levels of two spaces before each line.</param>
    public string ToString(int indent)
    {
        string space = new(' ', indent * 2);
        return string.Join('\n', Items.Select(item => $"{space}{HoconText.Key(item.Key)} {(item.Value.IsObject() ? "" : ": ")}{item.Value.ToString(indent)}"));
    }
}
