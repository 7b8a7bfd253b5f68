using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>
/// What the chains mean on one device. A function of the chains alone: in whatever order they arrived, two copies with the same chains agree.
/// </summary>
internal static class RegistryFold
{
    /// <summary>From the own chain outward: who is admitted, by what name, with which grants here.</summary>
    /// <param name="isOut">Whom another device has revoked, and who was not paired here again since.</param>
    public static Dictionary<DeviceId, RegisteredDevice> Devices(DevicePublicKey self, Func<DevicePublicKey, IReadOnlyList<RegistryEntry>> chainOf, Func<DevicePublicKey, bool> isOut)
    {
        Own own = ReadOwn(chainOf(self));
        var devices = new Dictionary<DeviceId, RegisteredDevice>();
        var names = new HashSet<string>(own.Names.Values, StringComparer.OrdinalIgnoreCase);
        var open = new Queue<DevicePublicKey>([self]);
        while (open.TryDequeue(out DevicePublicKey author))
        {
            foreach (RegistryEntry admission in Admitted(chainOf(author)))
            {
                DevicePublicKey subject = admission.Subject;
                if (subject != self && !devices.ContainsKey(subject.Id) && !own.Forgotten.Contains(subject) && !isOut(subject))
                {
                    string shown = own.Names.GetValueOrDefault(subject) ?? Unique(admission.Name, subject.Id, names);
                    devices[subject.Id] = new RegisteredDevice(subject, shown, own.Grants.GetValueOrDefault(subject) is { } grants ? [.. grants] : [])
                    {
                        AdmittedBy = author.Id,
                        AdmittedAt = admission.At,
                    };
                    open.Enqueue(subject);
                }
            }
        }

        return devices;
    }

    /// <summary>Whom a chain admits in the end, in the order of admission.</summary>
    public static IEnumerable<RegistryEntry> Admitted(IReadOnlyList<RegistryEntry> chain)
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

        return last.Values.OrderBy(entry => entry.Sequence);
    }

    /// <summary>Whom any of the chains has put out everywhere and has not admitted since; the first to say so is named.</summary>
    public static Dictionary<DeviceId, RevokedDevice> Revoked(IReadOnlyCollection<List<RegistryEntry>> chains, Func<DevicePublicKey, bool> counts)
    {
        var last = new Dictionary<(DevicePublicKey Author, DevicePublicKey Subject), RegistryEntry>();
        var names = new Dictionary<DevicePublicKey, string>();
        foreach (RegistryEntry entry in chains.SelectMany(chain => chain))
        {
            if (entry.IsEverywhere)
            {
                last[(entry.Author, entry.Subject)] = entry;
            }
            else if (entry.Change == RegistryChange.Admit)
            {
                last.Remove((entry.Author, entry.Subject));
                names[entry.Subject] = entry.Name;
            }
        }

        var revoked = new Dictionary<DeviceId, RevokedDevice>();
        foreach (RegistryEntry entry in last.Values.Where(entry => counts(entry.Subject)).OrderBy(entry => entry.At))
        {
            revoked.TryAdd(entry.Subject.Id, new RevokedDevice(entry.Subject, names.GetValueOrDefault(entry.Subject, ""), entry.Author.Id, entry.At));
        }

        return revoked;
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
