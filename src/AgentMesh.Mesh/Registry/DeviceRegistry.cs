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

    private readonly Lock _gate = new();
    private readonly DeviceIdentity _self;
    private readonly TimeProvider _time;
    private readonly RegistryFile _file;
    private readonly RegistryChains _chains;
    private volatile IReadOnlyDictionary<DeviceId, RegisteredDevice> _devices = new Dictionary<DeviceId, RegisteredDevice>();
    private volatile IReadOnlyDictionary<DeviceId, RevokedDevice> _revoked = new Dictionary<DeviceId, RevokedDevice>();
    private long _refused;

    private DeviceRegistry(DeviceIdentity self, TimeProvider time, RegistryFile file)
    {
        _self = self;
        _time = time;
        _file = file;
        _chains = new RegistryChains(self.PublicKey);
    }

    /// <summary>Raised after the devices or the chains changed.</summary>
    public event Action? Changed;

    /// <summary>Every device of the mesh but this one.</summary>
    public IReadOnlyDictionary<DeviceId, RegisteredDevice> Devices => _devices;

    /// <summary>Those that a chain of this copy has put out for the whole mesh and that are not in it.</summary>
    public IReadOnlyDictionary<DeviceId, RevokedDevice> Revoked => _revoked;

    /// <summary>Entries of others that did not verify or did not fit.</summary>
    public long RefusedEntries => Interlocked.Read(ref _refused);

    /// <exception cref="MeshException">AM0331: the file cannot be used. AM0330: it holds what this device never signed, or is damaged.</exception>
    public static DeviceRegistry Open(string path, DeviceIdentity self, TimeProvider time)
    {
        RegistryFile file = RegistryFile.Open(path);
        try
        {
            var registry = new DeviceRegistry(self, time, file);
            file.Load(registry.TryKeep);
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

    public bool IsAdmitted(DevicePublicKey key) => _devices.TryGetValue(key.Id, out RegisteredDevice? device) && device.Key == key;

    /// <summary>Takes a device in; one that is there already gets the new grants.</summary>
    public void Admit(DevicePublicKey key, string name, IEnumerable<string> grants)
    {
        Invariant.Check(key != _self.PublicKey);
        ImmutableSortedSet<string> wanted = Mesh.Grants.Grant.Check(grants);
        lock (_gate)
        {
            // That another device vouches for it may end; the own word stays.
            bool isAdmittedHere = RegistryFold.Admitted(_chains.Of(_self.PublicKey)).Any(admitted => admitted.Subject == key);
            if (isAdmittedHere && _chains.PutOut.Contains(key))
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
    public void SetGrants(DeviceId device, IEnumerable<string> grants)
    {
        ImmutableSortedSet<string> wanted = Mesh.Grants.Grant.Check(grants);
        lock (_gate)
        {
            AppendGrants(Find(device).Key, wanted);
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

            if (_devices.Values.Any(other => other.Id != device && string.Equals(other.Name, name, StringComparison.OrdinalIgnoreCase)))
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
            foreach (DevicePublicKey key in devices.Select(KeyOf).ToArray())
            {
                Append(RegistryChange.Forget, key, "", [], everywhere: true);
            }
        }

        Changed?.Invoke();
    }

    /// <summary>The devices of the mesh and those that were in it, by the beginning of their ids.</summary>
    public IReadOnlyList<DeviceId> FindEver(string idPrefix)
    {
        lock (_gate)
        {
            return [.. _chains.Ever.Select(key => key.Id).Where(id => id.ToString().StartsWith(idPrefix, StringComparison.OrdinalIgnoreCase)).Distinct()];
        }
    }

    /// <summary>Entries that this copy has of each author's chain.</summary>
    public IReadOnlyDictionary<DeviceId, ulong> Heads()
    {
        lock (_gate)
        {
            return _chains.Heads();
        }
    }

    /// <summary>What a copy with these heads lacks, in chain order.</summary>
    public IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most)
    {
        lock (_gate)
        {
            return _chains.EntriesAfter(heads, most);
        }
    }

    /// <summary>Verifies and keeps what is new and comes from a device that is believed; the rest is counted.</summary>
    public void Take(IEnumerable<byte[]> entries)
    {
        bool changed = false;
        lock (_gate)
        {
            bool isFolded = true;
            foreach (byte[] bytes in entries)
            {
                if (!RegistryEntry.TryRead(bytes, out RegistryEntry? entry))
                {
                    Interlocked.Increment(ref _refused);
                    continue;
                }

                if (!IsAdmitted(entry.Author) && !isFolded)
                {
                    // An entry before it may have admitted its author.
                    Fold();
                    isFolded = true;
                }

                if (entry.Author != _self.PublicKey && IsAdmitted(entry.Author) && _chains.Fits(entry))
                {
                    Write(entry);
                    isFolded = false;
                    changed = true;
                    if (entry.IsEverywhere)
                    {
                        // What comes after it from who is out now is not taken.
                        Fold();
                        isFolded = true;
                    }
                }
                else if (!_chains.Has(entry))
                {
                    Interlocked.Increment(ref _refused);
                }
            }

            if (!isFolded)
            {
                Fold();
            }

            if (changed)
            {
                TakeUpRevocations();
            }
        }

        if (changed)
        {
            Changed?.Invoke();
        }
    }

    public void Dispose() => _file.Dispose();

    private RegisteredDevice Find(DeviceId device) => _devices.TryGetValue(device, out RegisteredDevice? known)
        ? known
        : throw new MeshException(MeshErrors.UnknownPeer, $"{device} is not in the registry", "'agentmesh peers' shows who is");

    private DevicePublicKey KeyOf(DeviceId device) => device == _self.Id ? _self.PublicKey
        : _chains.Ever.Where(key => key.Id == device).Select(key => (DevicePublicKey?)key).FirstOrDefault() ?? Find(device).Key;

    /// <summary>Takes back what this device itself said for those that another has put out everywhere: its admission, grants and names.</summary>
    private void TakeUpRevocations()
    {
        IReadOnlySet<DevicePublicKey> putOut = _chains.PutOut;
        if (putOut.Count == 0)
        {
            return;
        }

        try
        {
            Dictionary<DeviceId, RegisteredDevice> otherwise = RegistryFold.Devices(_self.PublicKey, _chains.Of, static _ => false);
            foreach (DevicePublicKey key in putOut.Where(key => otherwise.ContainsKey(key.Id)).ToArray())
            {
                Append(RegistryChange.Forget, key, "", []);
            }
        }
        catch (MeshException)
        {
            // A full disk or chain. They are out all the same; the next entry that comes, or the next start, tries again.
        }
    }

    private void AppendGrants(DevicePublicKey key, ImmutableSortedSet<string> grants)
    {
        ImmutableSortedSet<string> before = _devices.TryGetValue(key.Id, out RegisteredDevice? known) ? known.Grants : [];
        if (!before.SetEquals(grants))
        {
            Append(RegistryChange.Grants, key, "", grants);
        }
    }

    private void Append(RegistryChange change, DevicePublicKey subject, string name, IEnumerable<string> grants, bool everywhere = false)
    {
        RegistryEntry? before = _chains.Of(_self.PublicKey) is { Count: > 0 } own ? own[^1] : null;
        RegistryEntry entry = RegistryEntry.Sign(_self, before, _time.GetUtcNow(), change, subject, name, grants, everywhere);
        if (!_chains.Fits(entry))
        {
            throw new MeshException(MeshErrors.RegistryInvalid, $"the registry of this device has {RegistryChains.EntriesOfAuthorMax} entries and takes no more", "start with a new identity: move the data directory away and pair again");
        }

        Write(entry);
        Fold();
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

    private void Fold()
    {
        IReadOnlySet<DevicePublicKey> putOut = _chains.PutOut;
        Dictionary<DeviceId, RegisteredDevice> devices = RegistryFold.Devices(_self.PublicKey, _chains.Of, putOut.Contains);
        _revoked = RegistryFold.Revoked(_chains.All, key => key != _self.PublicKey && !devices.ContainsKey(key.Id));
        _devices = devices;
    }
}
