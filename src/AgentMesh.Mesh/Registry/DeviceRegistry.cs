using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>
/// Who belongs to the mesh, as a signed chain per device. This device believes its own chain and those of devices that it, or one it believes,
/// has admitted. Grants count only from the own chain: nobody else decides what may be done here. Kept in one file, appended only. Thread-safe.
/// </summary>
public sealed class DeviceRegistry : IDisposable
{
    public const string FileName = "registry";

    /// <summary>Beside it: what proves an <see cref="OwnFork"/>.</summary>
    public const string ForkFileName = FileName + ForkProof.Suffix;

    /// <summary>Devices that are in by the word of one introducer, where that needs a grant. Who is put out makes room.</summary>
    public const int IntroducedMax = 100;

    private readonly Lock _gate = new();
    private readonly DevicePublicKey _root;
    private readonly RegistryFile _file;
    private readonly RegistryChains _chains;
    private readonly OwnChain _own;
    private readonly ForkProof _proof;
    private readonly RegistryIntake _intake;
    private volatile RegistryView _view = RegistryView.Empty;

    private DeviceRegistry(string path, DeviceIdentity self, IReadOnlyList<DevicePublicKey> keys, Introductions introductions, TimeProvider time, RegistryFile file)
    {
        _root = keys[0];
        _file = file;
        _chains = new RegistryChains(keys);
        _own = new OwnChain(self, _root, _chains, introductions, Write, time);
        _proof = new ForkProof(path + ForkProof.Suffix, _chains);
        _intake = new RegistryIntake(_chains, _proof, () => _view, Write, Fold);
    }

    /// <summary>Raised after the devices or the chains changed.</summary>
    public event Action? Changed;

    /// <summary>Every device of the mesh but this one.</summary>
    public IReadOnlyDictionary<DeviceId, RegisteredDevice> Devices => _view.Devices;

    /// <summary>Those that a chain of this copy has put out for the whole mesh and that are not in it.</summary>
    public IReadOnlyDictionary<DeviceId, RevokedDevice> Revoked => _view.Revoked;

    /// <summary>Those that are out because two keys claim to speak for them, until they are put out by word or come back with a new identity.</summary>
    public IReadOnlyDictionary<DeviceId, ForkedDevice> Forked => _view.Forked;

    /// <summary>Those whom a device of the mesh has let in and who are out here, because it has no grant <see cref="Mesh.Grants.Grant.Introduce"/>; at most <see cref="IntroducedMax"/> of each introducer.</summary>
    public IReadOnlyDictionary<DeviceId, IntroducedDevice> Refused => _view.Refused;

    /// <summary>Entries of others that did not verify or did not fit.</summary>
    public long RefusedEntries => _intake.Refused;

    /// <exception cref="MeshException">AM0331: the file cannot be used. AM0330: it holds what this device never signed, or is damaged.</exception>
    /// <param name="next">The key that is about to succeed that of <paramref name="self"/>; where the registry says already that it has, it is used.</param>
    public static DeviceRegistry Open(string path, DeviceIdentity self, TimeProvider time, DeviceIdentity? next = null, Introductions introductions = Introductions.Everyone)
    {
        RegistryFile file = RegistryFile.Open(path);
        try
        {
            IReadOnlyList<DevicePublicKey> keys = OwnKeys.Find(file, self, next);
            var registry = new DeviceRegistry(path, next is not null && keys[^1] == next.PublicKey ? next : self, keys, introductions, time, file);
            file.Load(registry.TryKeep);
            if (registry._root.Id != self.Id)
            {
                throw new MeshException(MeshErrors.RegistryInvalid, $"the registry {path} does not know the key of this device", "restore it from the same backup as the file 'identity', or move both away and pair again");
            }

            registry.Fold();
            registry.TakeUpRevocations();
            return registry;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether a key is the one that counts of a device that is in.</summary>
    public bool IsAdmitted(DevicePublicKey key) => _view.OfKey(key.Id)?.Key == key;

    /// <summary>Whether the key with this id is the one that counts of a device of the mesh, or of this device itself.</summary>
    public bool IsOfMesh(DeviceId keyId) => keyId == OwnKey.Id || _view.OfKey(keyId)?.Key.Id == keyId;

    /// <summary>The device that the key with this id speaks or spoke for; the id itself where no other is known.</summary>
    public DeviceId DeviceOf(DeviceId keyId) => _view.DeviceOf(keyId);

    /// <inheritdoc cref="RegistryView.KeysOutOfUse"/>
    public IReadOnlyCollection<DeviceId> OutOfUse => _view.KeysOutOfUse;

    /// <inheritdoc cref="RegistryView.ClaimsAgainst"/>
    public IReadOnlyList<KeyClaim> ClaimsAgainst(DeviceId keyId) => _view.ClaimsAgainst(keyId);

    /// <summary>Which key this device signs with now.</summary>
    public DevicePublicKey OwnKey => Locked(() => _own.Key);

    /// <summary>Since when it does; null for the first key of this device.</summary>
    public DateTimeOffset? OwnKeySince => Locked(() => _own.KeySince);

    /// <summary>Null while no key of this device is known to be in two hands. What is known once is known after a restart too, and ends only with the identity.</summary>
    public OwnFork? OwnFork => Locked(() => _proof.Entry is { } proof ? new OwnFork(proof.Subject, proof.Author, proof.At) : null);

    /// <summary>
    /// From now on another key speaks for this device: the present one says so, as its last word, and the other one agrees. What a crash left half done is completed by saying it again.
    /// </summary>
    /// <exception cref="MeshException">AM0367: this device has had too many keys. AM0331: it cannot be written; then it has not happened, or half.</exception>
    public void Succeed(DeviceIdentity next)
    {
        lock (_gate)
        {
            if (_own.Key == next.PublicKey)
            {
                return;
            }

            _own.Succeed(next);
            Fold();
        }

        Changed?.Invoke();
    }

    /// <summary>Takes a device in; one that is there already gets the new grants.</summary>
    public void Admit(DevicePublicKey key, string name, IEnumerable<string> grants)
    {
        ImmutableSortedSet<string> wanted = Mesh.Grants.Grant.Check(grants);
        lock (_gate)
        {
            Invariant.Check(!_chains.IsOwn(key));
            DevicePublicKey root = _chains.RootOf(key);
            if (_chains.Successions.CurrentOf(root) != key)
            {
                throw new MeshException(
                    MeshErrors.KeyOutOfUse, $"the key of {DeviceName.Clean(name)} ({key.Id}) does not count any more: another one has succeeded it, or two claim to", "on that device, 'agentmesh compromised' makes a new identity; then pair it again");
            }

            // That another device vouches for it may end; the own word stays.
            bool isAdmittedHere = RegistryFold.Admitted(_chains.OfDevice(_root), _chains.RootOf).Any(admitted => _chains.RootOf(admitted.Subject) == root);
            if (isAdmittedHere && _chains.PutOut.Contains(root))
            {
                // What it had before it was put out does not come back with it.
                Append(RegistryChange.Forget, key, "", []);
                isAdmittedHere = false;
            }

            if (!isAdmittedHere)
            {
                Append(RegistryChange.Admit, key, DeviceName.Clean(name), []);
            }

            AppendGrants(key, wanted);
        }

        Changed?.Invoke();
    }

    /// <summary>What the device may do here from now on.</summary>
    /// <exception cref="MeshException">AM0332: no such grant. AM0302: no such device.</exception>
    /// <param name="dropIntroduced">Where it may introduce no more: those who are in by its word are out too. Otherwise this device takes them in by its own word first.</param>
    public void SetGrants(DeviceId device, IEnumerable<string> grants, bool dropIntroduced = false)
    {
        ImmutableSortedSet<string> wanted = Mesh.Grants.Grant.Check(grants);
        lock (_gate)
        {
            RegisteredDevice known = Find(device);
            if (_own.Rule == Introductions.Granted && !dropIntroduced && known.Grants.Contains(Mesh.Grants.Grant.Introduce) && !wanted.Contains(Mesh.Grants.Grant.Introduce))
            {
                foreach (RegisteredDevice introduced in _view.Devices.Values.Where(other => other.AdmittedBy == device).ToArray())
                {
                    Append(RegistryChange.Admit, introduced.Key, DeviceName.Clean(introduced.Name), []);
                }
            }

            AppendGrants(known.Key, wanted);
        }

        Changed?.Invoke();
    }

    /// <summary>What the device is called here from now on.</summary>
    /// <exception cref="MeshException">AM0333: no name for a device, or another has it. AM0302: no such device.</exception>
    public void Rename(DeviceId device, string name)
    {
        if (!DeviceName.IsValid(name))
        {
            throw new MeshException(MeshErrors.BadName, $"'{name}' is no name for a device", DeviceName.Rule);
        }

        lock (_gate)
        {
            RegisteredDevice known = Find(device);
            if (known.Name == name)
            {
                return;
            }

            if (_view.Devices.Values.Any(other => other.Id != device && string.Equals(other.Name, name, StringComparison.OrdinalIgnoreCase)))
            {
                throw new MeshException(MeshErrors.BadName, $"another device is called '{name}' already", "choose another name");
            }

            Append(RegistryChange.Rename, known.Key, name, []);
        }

        Changed?.Invoke();
    }

    /// <summary>Puts a device out, whoever else admitted it; so are those that only it has admitted. It can be paired again.</summary>
    /// <exception cref="MeshException">AM0302: no such device.</exception>
    public void Forget(DeviceId device)
    {
        lock (_gate)
        {
            Append(RegistryChange.Forget, Find(device).Key, "", []);
        }

        Changed?.Invoke();
    }

    /// <summary>Puts devices out for every device that believes this one; also one that is out here already. Each can be paired again, device by device.</summary>
    /// <exception cref="MeshException">AM0302: no such device was ever in this copy.</exception>
    public void Revoke(IReadOnlyCollection<DeviceId> devices)
    {
        lock (_gate)
        {
            // Also its former keys: who has not heard of the present one is to put it out as well.
            foreach (DevicePublicKey key in devices.SelectMany(KeysOf).ToArray())
            {
                Append(RegistryChange.Forget, key, "", [], everywhere: true);
            }
        }

        Changed?.Invoke();
    }

    /// <summary>Whether another device says, as far as this copy has its chain, that this one is in: then it knows this device by name.</summary>
    /// <param name="by">One that is in.</param>
    public bool IsAdmittedBy(DevicePublicKey by) =>
        Locked(() => RegistryFold.Admitted(_chains.OfDevice(_chains.RootOf(by)), _chains.RootOf).Any(admitted => _chains.RootOf(admitted.Subject) == _root));

    /// <summary>The devices of the mesh and those that were in it, by the beginning of their ids.</summary>
    public IReadOnlyList<DeviceId> FindEver(string idPrefix) => Locked(() => _chains.FindEver(idPrefix));

    /// <summary>Entries that this copy has of each author's chain; the proof of an <see cref="OwnFork"/> counts as one.</summary>
    public IReadOnlyDictionary<DeviceId, ulong> Heads()
    {
        lock (_gate)
        {
            Dictionary<DeviceId, ulong> heads = _chains.Heads();
            if (_proof.Entry is { } proof)
            {
                // Who knows it need not say it again.
                heads.TryAdd(proof.Author.Id, proof.Sequence);
            }

            return heads;
        }
    }

    /// <summary>What a copy with these heads lacks, in chain order.</summary>
    public IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most) => Locked(() => _chains.EntriesAfter(heads, most));

    /// <summary>Verifies and keeps what is new and comes from a device that is believed, and what proves an <see cref="OwnFork"/>, whoever it comes from; the rest is counted.</summary>
    public void Take(IEnumerable<byte[]> entries)
    {
        bool isLonger, isForked;
        lock (_gate)
        {
            (isLonger, isForked) = _intake.Take(entries);
            if (isLonger)
            {
                TakeUpRevocations();
            }
        }

        if (isLonger || isForked)
        {
            Changed?.Invoke();
        }
    }

    public void Dispose() => _file.Dispose();

    private RegisteredDevice Find(DeviceId device) => _view.Devices.TryGetValue(device, out RegisteredDevice? known)
        ? known
        : throw new MeshException(MeshErrors.UnknownPeer, $"{device} is not in the registry", "'agentmesh peers' shows who is");

    private IEnumerable<DevicePublicKey> KeysOf(DeviceId device) =>
        device == _own.Id ? [_own.Key]
        : _view.Devices.TryGetValue(device, out RegisteredDevice? known) ? [.. known.FormerKeys, known.Key]
        : _chains.EverKeysOf(device) is { Count: > 0 } former ? former
        : [Find(device).Key];

    private void TakeUpRevocations()
    {
        if (_chains.PutOut.Count == 0)
        {
            return;
        }

        try
        {
            _own.TakeUpRevocations();
        }
        catch (MeshException)
        {
            // A full disk or chain. They are out all the same; the next entry that comes, or the next start, tries again.
        }

        Fold();
    }

    private void AppendGrants(DevicePublicKey key, ImmutableSortedSet<string> grants)
    {
        ImmutableSortedSet<string> before = _view.OfKey(key.Id)?.Grants ?? [];
        if (!before.SetEquals(grants))
        {
            Append(RegistryChange.Grants, key, "", grants);
        }
    }

    private void Append(RegistryChange change, DevicePublicKey subject, string name, IEnumerable<string> grants, bool everywhere = false)
    {
        _own.Append(change, subject, name, grants, everywhere);
        Fold();
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_gate)
        {
            return read();
        }
    }

    private bool TryKeep(RegistryEntry entry)
    {
        if (!_chains.Fits(entry))
        {
            return false;
        }

        _chains.Keep(entry);
        return true;
    }

    /// <summary>On disk before it counts.</summary>
    private void Write(RegistryEntry entry)
    {
        _file.Append(entry);
        _chains.Keep(entry);
    }

    private void Fold() => _view = RegistryView.Of(_root, _chains, _own.Rule);
}
