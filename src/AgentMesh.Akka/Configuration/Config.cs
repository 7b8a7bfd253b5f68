using Akka.Configuration.Hocon;

namespace Akka.Configuration;

/// <summary>
/// Settings by path, such as <c>akka.actor.provider</c>, with a fallback for what they do not have. Immutable and thread-safe.
/// </summary>
public class Config
{
    public static readonly Config Empty = new();

    public Config()
        : this(new HoconRoot(new HoconValue([new HoconObject()])))
    {
    }

    public Config(HoconRoot root)
    {
        Root = root.Value;
        Substitutions = root.Substitutions;
    }

    public Config(Config source, Config fallback)
    {
        Root = source.Root;
        Substitutions = source.Substitutions;
        Fallback = fallback;
    }

    public Config? Fallback { get; }

    public virtual bool IsEmpty => IsBare(Root) && (Fallback is null || Fallback.IsEmpty);

    /// <summary>The values of this configuration itself, without its fallback.</summary>
    public virtual HoconValue Root { get; }

    public IEnumerable<HoconSubstitution> Substitutions { get; set; }

    public static implicit operator Config(string str) => ConfigurationFactory.ParseString(str);

    public static Config operator +(Config config, string fallback) => config.WithFallback(ConfigurationFactory.ParseString(fallback));

    public static Config operator +(string configHocon, Config fallbackConfig) => ConfigurationFactory.ParseString(configHocon).WithFallback(fallbackConfig);

    /// <summary>What this configuration does not have is looked up in <paramref name="fallback"/>.</summary>
    public virtual Config WithFallback(Config fallback)
    {
        if (ReferenceEquals(fallback, this))
        {
            throw new ArgumentException("a configuration cannot be its own fallback", nameof(fallback));
        }

        if (fallback is null || fallback.IsEmpty)
        {
            return this;
        }

        return IsEmpty ? fallback : Copy(fallback);
    }

    public virtual bool HasPath(string path) => Find(path) is not null;

    /// <summary>Null where nothing has the path. Objects are not merged with the fallback's; <see cref="GetConfig"/> does that.</summary>
    public HoconValue GetValue(string path) => Find(path)!;

    /// <summary>The part below <paramref name="path"/>, merged with that of the fallback; null where nothing has the path.</summary>
    public virtual Config GetConfig(string path)
    {
        HoconValue? value = FindHere(path);
        Config? below = Fallback?.GetConfig(path);
        if (value is null)
        {
            return below!;
        }

        Config own = value.ToConfig();
        return below is null || !value.IsObject() ? own : new Config(own, below);
    }

    public virtual bool GetBoolean(string path, bool @default = false) => Read(path, value => value.GetBoolean(), @default);

    public virtual long? GetByteSize(string path) => GetByteSize(path, null);

    public virtual long? GetByteSize(string path, long? def = null) => Read(path, value => value.GetByteSize(), def);

    public virtual int GetInt(string path, int @default = 0) => Read(path, value => value.GetInt(), @default);

    public virtual long GetLong(string path, long @default = 0) => Read(path, value => value.GetLong(), @default);

    public virtual string GetString(string path, string @default = null!) => Read(path, value => value.GetString()!, @default);

    public virtual float GetFloat(string path, float @default = 0) => Read(path, value => value.GetFloat(), @default);

    public virtual decimal GetDecimal(string path, decimal @default = 0) => Read(path, value => value.GetDecimal(), @default);

    public virtual double GetDouble(string path, double @default = 0) => Read(path, value => value.GetDouble(), @default);

    /// <summary>A number without unit is milliseconds; <c>infinite</c> is <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public virtual TimeSpan GetTimeSpan(string path, TimeSpan? @default = null, bool allowInfinite = true) =>
        Read(path, value => value.GetTimeSpan(allowInfinite), @default ?? TimeSpan.Zero);

    public virtual IList<bool> GetBooleanList(string path) => Read(path, value => value.GetBooleanList(), []);

    public virtual IList<decimal> GetDecimalList(string path) => Read(path, value => value.GetDecimalList(), []);

    public virtual IList<float> GetFloatList(string path) => Read(path, value => value.GetFloatList(), []);

    public virtual IList<double> GetDoubleList(string path) => Read(path, value => value.GetDoubleList(), []);

    public virtual IList<int> GetIntList(string path) => Read(path, value => value.GetIntList(), []);

    public virtual IList<long> GetLongList(string path) => Read(path, value => value.GetLongList(), []);

    public virtual IList<byte> GetByteList(string path) => Read(path, value => value.GetByteList(), []);

    public virtual IList<string> GetStringList(string path) => GetStringList(path, []);

    public virtual IList<string> GetStringList(string path, string[] defaultPaths) => Read(path, value => value.GetStringList(), defaultPaths);

    /// <summary>The keys at the root, the fallback's included, each with the value that counts.</summary>
    public virtual IEnumerable<KeyValuePair<string, HoconValue>> AsEnumerable()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (Config? each = this; each is not null; each = each.Fallback)
        {
            foreach (KeyValuePair<string, HoconValue> item in each.Root.GetObject()?.Items ?? [])
            {
                if (seen.Add(item.Key))
                {
                    yield return item;
                }
            }
        }
    }

    public override string ToString() => Root.GetObject()?.ToString(0) ?? Root.ToString();

    /// <param name="includeFallback">True merges the fallback's values into the text.</param>
    public string ToString(bool includeFallback)
    {
        if (!includeFallback || Fallback is null)
        {
            return ToString();
        }

        var chain = new Stack<Config>();
        for (Config? each = this; each is not null; each = each.Fallback)
        {
            chain.Push(each);
        }

        var merged = new HoconObject();
        foreach (Config each in chain)
        {
            if (each.Root.GetObject() is { } values)
            {
                merged.Merge(values);
            }
        }

        return merged.ToString(0);
    }

    protected Config Copy(Config? fallback = null)
    {
        // The new fallback goes behind the ones that are there.
        Config? behind = Fallback is null ? fallback : fallback is null ? Fallback : Fallback.Copy(fallback);
        return new Config(this, behind!);
    }

    private static bool IsBare(HoconValue root) => root.IsEmpty || (root.GetObject() is { Items.Count: 0 });

    private HoconValue? Find(string path) => FindHere(path) ?? Fallback?.Find(path);

    private HoconValue? FindHere(string path)
    {
        HoconValue? value = Root;
        foreach (string key in HoconPath.Split(path))
        {
            value = value.GetChildObject(key);
            if (value is null || value.IsEmpty)
            {
                return null;
            }
        }

        return value;
    }

    private T Read<T>(string path, Func<HoconValue, T> read, T otherwise)
    {
        if (Find(path) is not { } value)
        {
            return otherwise;
        }

        try
        {
            return read(value);
        }
        catch (FormatException error)
        {
            throw new ConfigurationException($"{path}: {error.Message}", error);
        }
    }
}
