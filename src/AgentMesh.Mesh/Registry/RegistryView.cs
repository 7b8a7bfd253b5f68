using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>What the chains mean at one moment: who is in, who was put out, and whose keys are whose.</summary>
internal sealed class RegistryView
{
    public static readonly RegistryView Empty = new([], [], [], [], []);

    private readonly Dictionary<DeviceId, DeviceId> _deviceOf;
    private readonly Dictionary<DeviceId, IReadOnlyList<KeyClaim>> _outOfUse;

    private RegistryView(
        Dictionary<DeviceId, RegisteredDevice> devices, Dictionary<DeviceId, RevokedDevice> revoked, Dictionary<DeviceId, ForkedDevice> forked, Dictionary<DeviceId, IntroducedDevice> refused, Dictionary<DeviceId, IReadOnlyList<KeyClaim>> outOfUse)
    {
        Devices = devices;
        Revoked = revoked;
        Forked = forked;
        Refused = refused;
        _outOfUse = outOfUse;
        _deviceOf = devices.Values.Where(device => device.FormerKeys.Count > 0)
            .SelectMany(device => device.FormerKeys.Append(device.Key).Select(key => (KeyId: key.Id, device.Id))).ToDictionary(item => item.KeyId, item => item.Id);
    }

    public IReadOnlyDictionary<DeviceId, RegisteredDevice> Devices { get; }

    public IReadOnlyDictionary<DeviceId, RevokedDevice> Revoked { get; }

    public IReadOnlyDictionary<DeviceId, ForkedDevice> Forked { get; }

    public IReadOnlyDictionary<DeviceId, IntroducedDevice> Refused { get; }

    /// <param name="root">The first key of this device.</param>
    public static RegistryView Of(DevicePublicKey root, RegistryChains chains, Introductions introductions)
    {
        IReadOnlySet<DevicePublicKey> putOut = chains.PutOut;
        var forked = new Dictionary<DeviceId, ForkedDevice>();
        var refused = new Dictionary<DeviceId, IntroducedDevice>();
        Dictionary<DeviceId, RegisteredDevice> devices = RegistryFold.Devices(root, chains, putOut.Contains, introductions, forked, refused);
        return new RegistryView(devices, RegistryFold.Revoked(chains, key => key != root && !devices.ContainsKey(key.Id)), forked, refused, OutOfUse(chains, devices.Values, forked.Values));
    }

    /// <summary>The ids of the keys that others claim to succeed.</summary>
    public IReadOnlyCollection<DeviceId> KeysOutOfUse => _outOfUse.Keys;

    /// <summary>What proves to whoever has a key that it does not count any more; empty for one that counts, and for one of a device that is out for another reason.</summary>
    public IReadOnlyList<KeyClaim> ClaimsAgainst(DeviceId keyId) => _outOfUse.GetValueOrDefault(keyId) ?? [];

    /// <summary>The device that the key with this id speaks or spoke for; the id itself where no other is known.</summary>
    public DeviceId DeviceOf(DeviceId keyId) => _deviceOf.GetValueOrDefault(keyId) is { IsNone: false } device ? device : keyId;

    /// <summary>The same, where it is in the mesh.</summary>
    public RegisteredDevice? OfKey(DeviceId keyId) => Devices.GetValueOrDefault(DeviceOf(keyId));

    private static Dictionary<DeviceId, IReadOnlyList<KeyClaim>> OutOfUse(RegistryChains chains, IEnumerable<RegisteredDevice> devices, IEnumerable<ForkedDevice> forked)
    {
        var outOfUse = new Dictionary<DeviceId, IReadOnlyList<KeyClaim>>();
        IEnumerable<DevicePublicKey> roots = devices.Where(device => device.FormerKeys.Count > 0).Select(device => device.FormerKeys[0]).Concat(forked.Select(fork => chains.RootOf(fork.Key)));
        foreach ((DevicePublicKey key, IReadOnlyList<RegistryEntry> claims) in roots.SelectMany(chains.Successions.OutOfUse))
        {
            outOfUse.TryAdd(key.Id, [.. claims.Select(claim => new KeyClaim(claim.Author.Id, claim.Bytes))]);
        }

        return outOfUse;
    }
}
