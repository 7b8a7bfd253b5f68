using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>
/// What the chains mean on one device. A function of the chains alone: in whatever order they arrived, two copies with the same chains agree.
/// </summary>
internal static class RegistryFold
{
    /// <summary>From the own chain outward: who is admitted, by what name, with which grants here.</summary>
    /// <param name="self">The first key of this device.</param>
    /// <param name="isOut">Whom another device has revoked, and who was not paired here again since, by the first key.</param>
    /// <param name="forked">Gets those who are not in for no other reason than that two keys claim to speak for them.</param>
    /// <param name="refused">Gets those who are not in for no other reason than that who let them in may not introduce here; of each introducer as many as it could.</param>
    public static Dictionary<DeviceId, RegisteredDevice> Devices(DevicePublicKey self, RegistryChains chains, Func<DevicePublicKey, bool> isOut, Introductions introductions = Introductions.Everyone, IDictionary<DeviceId, ForkedDevice>? forked = null, IDictionary<DeviceId, IntroducedDevice>? refused = null)
    {
        Own own = ReadOwn(chains.OfDevice(self), chains.RootOf);
        var devices = new Dictionary<DeviceId, RegisteredDevice>();
        var names = new HashSet<string>(own.Names.Values, StringComparer.OrdinalIgnoreCase);
        var open = new Queue<DevicePublicKey>([self]);
        while (open.TryDequeue(out DevicePublicKey author))
        {
            bool needsGrant = introductions == Introductions.Granted && author != self;
            bool counts = !needsGrant || own.Grants.GetValueOrDefault(author)?.Contains(Grants.Grant.Introduce) == true;
            int most = needsGrant ? DeviceRegistry.IntroducedMax : int.MaxValue;
            foreach (RegistryEntry admission in Admitted(chains.OfDevice(author), chains.RootOf).Where(admission => chains.RootOf(admission.Subject) != self).Take(most))
            {
                DevicePublicKey subject = chains.RootOf(admission.Subject);
                if (subject == self || devices.ContainsKey(subject.Id) || own.Forgotten.Contains(subject) || isOut(subject))
                {
                    continue;
                }

                if (!counts)
                {
                    refused?.TryAdd(subject.Id, new IntroducedDevice(admission.Subject, DeviceName.Clean(admission.Name), author.Id, admission.At) { Id = subject.Id });
                    continue;
                }

                // A device whose key has two successors has no key that counts.
                if (chains.Successions.CurrentOf(subject) is not { } key)
                {
                    DevicePublicKey last = chains.Successions.KeysOf(subject)[^1];
                    forked?.TryAdd(subject.Id, new ForkedDevice(last, own.Names.GetValueOrDefault(subject) ?? admission.Name, chains.Successions.ClaimsOn(last)) { Id = subject.Id });
                }
                else
                {
                    IReadOnlyList<DevicePublicKey> keys = chains.Successions.KeysOf(subject);
                    string shown = own.Names.GetValueOrDefault(subject) ?? Unique(admission.Name, subject.Id, names);
                    devices[subject.Id] = new RegisteredDevice(key, shown, own.Grants.GetValueOrDefault(subject) is { } grants ? [.. grants] : [])
                    {
                        Id = subject.Id,
                        FormerKeys = [.. keys.Take(keys.Count - 1)],
                        KeySince = keys.Count > 1 ? chains.Of(key)[0].At : null,
                        AdmittedBy = author.Id,
                        AdmittedAt = admission.At,
                    };
                    open.Enqueue(subject);
                }
            }
        }

        // Another one may have let them in with better right, later in this order.
        foreach (DeviceId known in refused?.Keys.Where(id => devices.ContainsKey(id) || forked?.ContainsKey(id) == true).ToArray() ?? [])
        {
            refused!.Remove(known);
        }

        return devices;
    }

    /// <summary>Whom a chain admits in the end, in the order of admission.</summary>
    public static IEnumerable<RegistryEntry> Admitted(IReadOnlyList<RegistryEntry> chain, Func<DevicePublicKey, DevicePublicKey> rootOf)
    {
        var last = new Dictionary<DevicePublicKey, RegistryEntry>();
        foreach (RegistryEntry entry in chain.Where(entry => entry.Change is RegistryChange.Admit or RegistryChange.Forget))
        {
            if (entry.Change == RegistryChange.Forget)
            {
                last.Remove(rootOf(entry.Subject));
            }
            else
            {
                last.TryAdd(rootOf(entry.Subject), entry);
            }
        }

        return last.Values.OrderBy(entry => entry.Sequence);
    }

    /// <summary>Whom any of the chains has put out everywhere and has not admitted since; the first to say so is named.</summary>
    /// <param name="counts">Asked with the first key of a device.</param>
    public static Dictionary<DeviceId, RevokedDevice> Revoked(RegistryChains chains, Func<DevicePublicKey, bool> counts)
    {
        var last = new Dictionary<(DevicePublicKey Author, DevicePublicKey Subject), RegistryEntry>();
        var names = new Dictionary<DevicePublicKey, string>();
        foreach (RegistryEntry entry in chains.All.SelectMany(chain => chain))
        {
            (DevicePublicKey, DevicePublicKey Subject) about = (chains.RootOf(entry.Author), chains.RootOf(entry.Subject));
            if (entry.IsEverywhere)
            {
                last[about] = entry;
            }
            else if (entry.Change == RegistryChange.Admit)
            {
                last.Remove(about);
                names[about.Subject] = entry.Name;
            }
        }

        var revoked = new Dictionary<DeviceId, RevokedDevice>();
        foreach (RegistryEntry entry in last.Values.Where(entry => counts(chains.RootOf(entry.Subject))).OrderBy(entry => entry.At))
        {
            DevicePublicKey root = chains.RootOf(entry.Subject);
            revoked.TryAdd(root.Id, new RevokedDevice(entry.Subject, names.GetValueOrDefault(root, ""), chains.RootOf(entry.Author).Id, entry.At) { Id = root.Id });
        }

        return revoked;
    }

    private static Own ReadOwn(IReadOnlyList<RegistryEntry> chain, Func<DevicePublicKey, DevicePublicKey> rootOf)
    {
        var own = new Own([], [], []);
        foreach (RegistryEntry entry in chain)
        {
            DevicePublicKey subject = rootOf(entry.Subject);
            switch (entry.Change)
            {
                case RegistryChange.Admit:
                    own.Forgotten.Remove(subject);
                    break;
                case RegistryChange.Grants:
                    own.Grants[subject] = [.. entry.Grants];
                    break;
                case RegistryChange.Rename:
                    own.Names[subject] = entry.Name;
                    break;
                case RegistryChange.Forget:
                    // Who is paired again starts with nothing.
                    own.Forgotten.Add(subject);
                    own.Grants.Remove(subject);
                    own.Names.Remove(subject);
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
