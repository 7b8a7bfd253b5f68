using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>
/// What the chains mean on one device. A function of the chains alone: in whatever order they arrived, two copies with the same chains agree.
/// </summary>
internal static class RegistryFold
{
    /// <summary>From the own chain outward: who is admitted, by what name, with which grants here.</summary>
    public static Dictionary<DeviceId, RegisteredDevice> Devices(DevicePublicKey self, Func<DevicePublicKey, IReadOnlyList<RegistryEntry>> chainOf)
    {
        Own own = ReadOwn(chainOf(self));
        var devices = new Dictionary<DeviceId, RegisteredDevice>();
        var names = new HashSet<string>(own.Names.Values, StringComparer.OrdinalIgnoreCase);
        var open = new Queue<DevicePublicKey>([self]);
        while (open.TryDequeue(out DevicePublicKey author))
        {
            foreach ((DevicePublicKey subject, string name) in Admitted(chainOf(author)))
            {
                if (subject != self && !devices.ContainsKey(subject.Id) && !own.Forgotten.Contains(subject))
                {
                    string shown = own.Names.GetValueOrDefault(subject) ?? Unique(name, subject.Id, names);
                    devices[subject.Id] = new RegisteredDevice(subject, shown, own.Grants.GetValueOrDefault(subject) is { } grants ? [.. grants] : []);
                    open.Enqueue(subject);
                }
            }
        }

        return devices;
    }

    /// <summary>Whom a chain admits in the end, in the order of admission.</summary>
    public static IEnumerable<(DevicePublicKey Subject, string Name)> Admitted(IReadOnlyList<RegistryEntry> chain)
    {
        var last = new Dictionary<DevicePublicKey, RegistryEntry>();
        foreach (RegistryEntry entry in chain.Where(entry => entry.Change is RegistryChange.Admit or RegistryChange.Forget))
        {
            if (entry.Change == RegistryChange.Forget)
            {
                last.Remove(entry.Subject);
            }
            else
            {
                last.TryAdd(entry.Subject, entry);
            }
        }

        return last.Values.OrderBy(entry => entry.Sequence).Select(entry => (entry.Subject, entry.Name));
    }

    private static Own ReadOwn(IReadOnlyList<RegistryEntry> chain)
    {
        var own = new Own([], [], []);
        foreach (RegistryEntry entry in chain)
        {
            switch (entry.Change)
            {
                case RegistryChange.Admit:
                    own.Forgotten.Remove(entry.Subject);
                    break;
                case RegistryChange.Grants:
                    own.Grants[entry.Subject] = [.. entry.Grants];
                    break;
                case RegistryChange.Rename:
                    own.Names[entry.Subject] = entry.Name;
                    break;
                case RegistryChange.Forget:
                    // Who is paired again starts with nothing.
                    own.Forgotten.Add(entry.Subject);
                    own.Grants.Remove(entry.Subject);
                    own.Names.Remove(entry.Subject);
                    break;
            }
        }

        return own;
    }

    // Of two devices with one name the second carries the beginning of its id.
    private static string Unique(string name, DeviceId id, HashSet<string> names)
    {
        string unique = name;
        for (int length = 4; !names.Add(unique); length++)
        {
            unique = $"{name}-{id.ToString()[..length]}";
        }

        return unique;
    }

    private sealed record Own(HashSet<DevicePublicKey> Forgotten, Dictionary<DevicePublicKey, string[]> Grants, Dictionary<DevicePublicKey, string> Names);
}
