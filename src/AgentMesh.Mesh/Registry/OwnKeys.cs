using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>Which keys have spoken for this device, as its registry tells.</summary>
internal static class OwnKeys
{
    /// <summary>The keys of this device in their order, found from the present one backwards.</summary>
    public static List<DevicePublicKey> Find(RegistryFile file, DeviceIdentity self, DeviceIdentity? next)
    {
        var keys = new List<DevicePublicKey> { self.PublicKey };
        if (self.PublicKey.Id == self.Id && next is null)
        {
            return keys;
        }

        var naming = new Dictionary<DevicePublicKey, DevicePublicKey>();
        file.Load(entry =>
        {
            if (entry.Naming is { } named)
            {
                naming[entry.Author] = named.Author;
            }

            return true;
        });
        if (next is not null && naming.GetValueOrDefault(next.PublicKey) == self.PublicKey)
        {
            keys.Add(next.PublicKey);
        }

        while (keys.Count <= Successions.KeysMax && naming.TryGetValue(keys[0], out DevicePublicKey before))
        {
            keys.Insert(0, before);
        }

        return keys;
    }
}
