using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh;

/// <summary>
/// Where the journal of an entity lives: a device, written as its id, or a pool of devices that share a database, written <c>pool-NAME</c>. A device id
/// has no hyphen, so the two cannot be mistaken for each other. <c>default</c> is none.
/// </summary>
public readonly record struct HomeId
{
    public const string PoolPrefix = "pool-";

    public const int PoolNameLengthMax = 24;

    private readonly string? _pool;

    private HomeId(DeviceId device, string? pool)
    {
        Device = device;
        _pool = pool;
    }

    public bool IsNone => Device.IsNone && _pool is null;

    public bool IsPool => _pool is not null;

    /// <summary>None for a pool.</summary>
    public DeviceId Device { get; }

    /// <summary>Name of the pool; empty for a device.</summary>
    public string PoolName => _pool ?? "";

    public static implicit operator HomeId(DeviceId device) => Of(device);

    public static HomeId Of(DeviceId device) => new(device, null);

    /// <exception cref="MeshException">AM0455: not a name for a pool.</exception>
    public static HomeId Pool(string name) => IsPoolName(name)
        ? new HomeId(default, name)
        : throw new MeshException(MeshErrors.BadPoolName, $"'{name}' is not a name for a pool", $"a name has 1 to {PoolNameLengthMax} lower-case letters, digits or '-', and begins with a letter");

    /// <summary>1 to 24 lower-case letters, digits or hyphens, beginning with a letter: it stands in ids, roles and actor paths.</summary>
    public static bool IsPoolName(string name) =>
        name.Length is > 0 and <= PoolNameLengthMax && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    public static bool TryParse(string text, out HomeId home)
    {
        home = default;
        if (DeviceId.TryParse(text, out DeviceId device))
        {
            home = device;
            return true;
        }

        if (!text.StartsWith(PoolPrefix, StringComparison.Ordinal) || !IsPoolName(text[PoolPrefix.Length..]))
        {
            return false;
        }

        home = new HomeId(default, text[PoolPrefix.Length..]);
        return true;
    }

    public override string ToString() => _pool is null ? Device.ToString() : PoolPrefix + _pool;
}
