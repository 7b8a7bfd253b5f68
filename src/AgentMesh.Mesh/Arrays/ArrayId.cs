using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Arrays;

/// <summary><c>array/HOME/ULID</c>: entity id and persistence id of an array of jobs. The home is the device that accepted it. <c>default</c> is none.</summary>
public readonly record struct ArrayId
{
    public const string Prefix = "array/";

    /// <summary>What tells the short id of an array from that of a job.</summary>
    public const string ShortPrefix = "a-";

    public ArrayId(HomeId home, Ulid ulid)
    {
        Invariant.Check(!home.IsNone);
        Home = home;
        Ulid = ulid;
    }

    public HomeId Home { get; }

    public Ulid Ulid { get; }

    public bool IsNone => Home.IsNone;

    /// <summary>What people type and read: unique among few arrays only.</summary>
    public string Short => ShortPrefix + Ulid.ToString()[^JobId.ShortLength..];

    /// <summary>The same home and key give the same array.</summary>
    /// <exception cref="MeshException">AM0308: the key is empty or too long.</exception>
    public static ArrayId FromIdempotencyKey(HomeId home, string key) => new(home, IdempotencyKeys.UlidOf($"array/{home}", key));

    /// <summary>The job of an element. The same numbers give the same job, so that whatever is repeated after a crash reaches it.</summary>
    /// <param name="generation">From 1; another one for each time the element is given to a device anew.</param>
    public JobId JobOf(int number, int generation)
    {
        Span<byte> hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{this}/{number}/{generation}")));
        return new JobId(Home, Ulid.OfPart(hash));
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out ArrayId id)
    {
        bool isId = HomePath.TryParse(text, Prefix, out HomeId home, out Ulid ulid);
        id = isId ? new ArrayId(home, ulid) : default;
        return isId;
    }

    public override string ToString() => IsNone ? "(none)" : $"{Prefix}{Home}/{Ulid}";
}

/// <summary>An array, or one of its elements, as people write it: <c>a-7f3kq2m</c>, <c>a-7f3kq2m/12</c>, or with the whole id.</summary>
/// <param name="Array">Short or whole.</param>
/// <param name="Element">Its number; null for the array.</param>
public sealed record ArrayName(string Array, int? Element)
{
    /// <returns>Null for what is no array: a job.</returns>
    public static ArrayName? TryRead(string text)
    {
        bool isWhole = text.StartsWith(ArrayId.Prefix, StringComparison.Ordinal);
        if (!isWhole && !text.StartsWith(ArrayId.ShortPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        int slash = text.LastIndexOf('/');
        return slash > 0 && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int element) && (!isWhole || ArrayId.TryParse(text[..slash], out _))
            ? new ArrayName(text[..slash], element)
            : new ArrayName(text, null);
    }
}
