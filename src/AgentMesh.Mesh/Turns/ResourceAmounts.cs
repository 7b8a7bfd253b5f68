using System.Collections.Immutable;
using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Mesh.Turns;

/// <summary>
/// Amounts of what is used up while a job runs: <c>gpu=1</c>, <c>mem=24G</c>. Kept in thousandths, so that <c>cpu=0.5</c> can be said. What is not named
/// is zero. Immutable.
/// </summary>
public sealed record ResourceAmounts
{
    /// <summary>Different names in one set.</summary>
    public const int NamesMax = 32;

    public const int NameLengthMax = 32;

    public const string Rule = "NAME=AMOUNT is expected, for example gpu=1, cpu=0.5 or mem=24G (K, M, G and T are powers of 1024)";

    /// <summary>Cores, and bytes of memory: every device finds its own.</summary>
    public const string Cpu = "cpu";

    public const string Memory = "mem";

    private const int Unit = 1_000;

    /// <summary>In thousandths, of one name: 9 PB, so that sums of many do not overflow.</summary>
    public const long AmountMax = long.MaxValue / 1_000;

    private static readonly (string Suffix, long Factor)[] Suffixes = [("T", 1L << 40), ("G", 1L << 30), ("M", 1L << 20), ("K", 1L << 10)];

    private readonly ImmutableSortedDictionary<string, long> _amounts;

    private ResourceAmounts(ImmutableSortedDictionary<string, long> amounts) => _amounts = amounts;

    public static ResourceAmounts None { get; } = new(ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal));

    public bool IsNone => _amounts.IsEmpty;

    /// <summary>By name, in thousandths.</summary>
    public IReadOnlyDictionary<string, long> Thousandths => _amounts;

    public IEnumerable<string> Names => _amounts.Keys;

    /// <summary>In thousandths.</summary>
    public long this[string name] => _amounts.GetValueOrDefault(name);

    /// <exception cref="MeshException">AM0390: no amounts of that kind.</exception>
    public static ResourceAmounts Of(IEnumerable<KeyValuePair<string, long>> thousandths)
    {
        var amounts = ImmutableSortedDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        foreach ((string name, long amount) in thousandths)
        {
            if (!IsName(name) || amount is < 0 or > AmountMax || amounts.Count == NamesMax)
            {
                throw Wrong(name, amounts.Count == NamesMax ? $"more than {NamesMax} resources" : "no resource");
            }

            if (amount > 0)
            {
                amounts[name] = amount;
            }
        }

        return new ResourceAmounts(amounts.ToImmutable());
    }

    /// <summary>From texts such as <c>gpu=1</c>, one resource each.</summary>
    /// <exception cref="MeshException">AM0390 with what is wrong.</exception>
    public static ResourceAmounts Parse(IEnumerable<string> texts)
    {
        var amounts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string name = (equals < 0 ? text : text[..equals]).ToLowerInvariant();
            if (!IsName(name))
            {
                throw Wrong(text, $"'{name}' is no name of a resource: lower-case letters, digits, '-', '_' and '.', at most {NameLengthMax}, beginning with a letter");
            }

            if (equals < 0 || !TryParseAmount(text[(equals + 1)..], out long amount))
            {
                throw Wrong(text, equals < 0 ? "an amount is missing" : $"'{text[(equals + 1)..]}' is no amount");
            }

            if (!amounts.TryAdd(name, amount))
            {
                throw Wrong(text, $"'{name}' is named twice");
            }
        }

        return Of(amounts);
    }

    /// <summary>A number with up to three places, then perhaps K, M, G or T.</summary>
    /// <param name="thousandths">Above zero where this is true.</param>
    public static bool TryParseAmount(string text, out long thousandths)
    {
        thousandths = 0;
        (string suffix, long factor) = Suffixes.FirstOrDefault(each => text.EndsWith(each.Suffix, StringComparison.OrdinalIgnoreCase), ("", 1));
        if (!decimal.TryParse(text[..^suffix.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number) || number <= 0 || number > AmountMax)
        {
            return false;
        }

        decimal scaled = number * Unit;
        if ((suffix.Length == 0 && scaled != decimal.Truncate(scaled)) || scaled * factor > AmountMax)
        {
            return false;
        }

        thousandths = (long)(scaled * factor);
        return thousandths > 0;
    }

    public static bool IsName(string name) =>
        name.Length is > 0 and <= NameLengthMax && char.IsAsciiLetterLower(name[0]) && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');

    /// <summary>The names of which there is less than is asked for here.</summary>
    public IEnumerable<string> LackingIn(ResourceAmounts free) => _amounts.Where(each => each.Value > free[each.Key]).Select(static each => each.Key);

    public bool FitsIn(ResourceAmounts free) => !LackingIn(free).Any();

    public ResourceAmounts Plus(ResourceAmounts other) => Combine(other, 1);

    /// <summary>Never below zero: what was taken over may be more than there is now.</summary>
    public ResourceAmounts Minus(ResourceAmounts other) => Combine(other, -1);

    /// <summary>As people write it: 24G, 0.5, 2.</summary>
    public static string Shown(string name, long thousandths)
    {
        long whole = thousandths / Unit;
        if (name == Memory && whole >= 1L << 10)
        {
            (string suffix, long factor) = Suffixes.First(each => whole >= each.Factor);
            return string.Create(CultureInfo.InvariantCulture, $"{whole / (decimal)factor:0.##}{suffix}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{thousandths / (decimal)Unit:0.###}");
    }

    public override string ToString() => string.Join(", ", _amounts.Select(static each => $"{each.Key}={Shown(each.Key, each.Value)}"));

    public bool Equals(ResourceAmounts? other) => other is not null && _amounts.SequenceEqual(other._amounts);

    public override int GetHashCode() => _amounts.Aggregate(_amounts.Count, static (hash, each) => HashCode.Combine(hash, each.Key, each.Value));

    /// <summary>For a name that is asked for, with the nearest one that there is.</summary>
    public static string Known(string name, IEnumerable<string> known) => Nearest.Of(name, known) is { } near && near != name ? $"did you mean '{near}'? " : "";

    private ResourceAmounts Combine(ResourceAmounts other, int sign)
    {
        if (other.IsNone)
        {
            return this;
        }

        ImmutableSortedDictionary<string, long>.Builder sum = _amounts.ToBuilder();
        foreach ((string name, long amount) in other._amounts)
        {
            long left = Math.Max(0, sum.GetValueOrDefault(name) + (sign * amount));
            if (left == 0)
            {
                sum.Remove(name);
            }
            else
            {
                sum[name] = left;
            }
        }

        return new ResourceAmounts(sum.ToImmutable());
    }

    private static MeshException Wrong(string text, string what) => new(MeshErrors.BadResource, $"'{text}': {what}", Rule);
}
