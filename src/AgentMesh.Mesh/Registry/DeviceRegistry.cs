using System.Buffers.Binary;
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

    private const int EntriesOfAuthorMax = 10_000;
    private const int AuthorsMax = 1_000;
    private const int EntriesOfOthersMax = 50_000;

    private readonly Lock _gate = new();
    private readonly DeviceIdentity _self;
    private readonly TimeProvider _time;
    private readonly FileStream _file;
    private readonly Dictionary<DevicePublicKey, List<RegistryEntry>> _chains = [];
    /// <summary>
    /// Whom others have put out everywhere, where this device has not spoken of them since. The entries of all chains stand in the file in the order in which they came, so a restart
    /// knows it too.
    /// </summary>
    private readonly HashSet<(DevicePublicKey Subject, DevicePublicKey By)> _heard = [];
    private volatile IReadOnlyDictionary<DeviceId, RegisteredDevice> _devices = new Dictionary<DeviceId, RegisteredDevice>();
    private volatile IReadOnlyDictionary<DeviceId, RevokedDevice> _revoked = new Dictionary<DeviceId, RevokedDevice>();
    private int _entriesOfOthers;
    private long _goodBytes;
    private long _refused;

    private DeviceRegistry(DeviceIdentity self, TimeProvider time, FileStream file)
    {
        _self = self;
        _time = time;
        _file = file;
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
        FileStream? file = null;
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            file = new FileStream(path, options);
            var registry = new DeviceRegistry(self, time, file);
            registry.Load(path);
            return registry;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new MeshException(MeshErrors.RegistryFile, $"the registry {path} cannot be used: {error.Message}", "check the owner and the permissions of the data directory", error);
        }
        catch
        {
            file?.Dispose();
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
            bool isAdmittedHere = RegistryFold.Admitted(_chains.GetValueOrDefault(_self.PublicKey) ?? []).Any(admitted => admitted.Subject == key);
            if (isAdmittedHere && _heard.Any(each => each.Subject == key))
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
            return [.. Ever().Select(key => key.Id).Where(id => id.ToString().StartsWith(idPrefix, StringComparison.OrdinalIgnoreCase)).Distinct()];
        }
    }

    /// <summary>Entries that this copy has of each author's chain.</summary>
    public IReadOnlyDictionary<DeviceId, ulong> Heads()
    {
        lock (_gate)
        {
            return _chains.ToDictionary(chain => chain.Key.Id, chain => (ulong)chain.Value.Count);
        }
    }

    /// <summary>What a copy with these heads lacks, in chain order.</summary>
    public IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most)
    {
        lock (_gate)
        {
            return [.. _chains.SelectMany(chain => chain.Value.Skip((int)Math.Min(heads.GetValueOrDefault(chain.Key.Id), int.MaxValue))).Take(most).Select(entry => entry.Bytes)];
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

                if (entry.Author != _self.PublicKey && IsAdmitted(entry.Author) && Fits(entry))
                {
                    Write(entry);
                    Keep(entry);
                    isFolded = false;
                    changed = true;
                    if (entry.IsEverywhere)
                    {
                        // What comes after it from who is out now is not taken.
                        Fold();
                        isFolded = true;
                    }
                }
                else if (!IsKnown(entry))
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

    private IEnumerable<DevicePublicKey> Ever() => _chains.Values.SelectMany(chain => chain).Where(entry => entry.Change == RegistryChange.Admit && entry.Subject != _self.PublicKey).Select(entry => entry.Subject);

    private DevicePublicKey KeyOf(DeviceId device) => device == _self.Id ? _self.PublicKey
        : Ever().Where(key => key.Id == device).Select(key => (DevicePublicKey?)key).FirstOrDefault() ?? Find(device).Key;

    /// <summary>Takes back what this device itself said for those that another has put out everywhere: its admission, grants and names.</summary>
    private void TakeUpRevocations()
    {
        if (_heard.Count == 0)
        {
            return;
        }

        try
        {
            Dictionary<DeviceId, RegisteredDevice> otherwise = RegistryFold.Devices(_self.PublicKey, ChainOf, static _ => false);
            foreach (DevicePublicKey key in _heard.Select(heard => heard.Subject).Distinct().Where(key => otherwise.ContainsKey(key.Id)).ToArray())
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
        RegistryEntry? before = _chains.TryGetValue(_self.PublicKey, out List<RegistryEntry>? own) && own.Count > 0 ? own[^1] : null;
        RegistryEntry entry = RegistryEntry.Sign(_self, before, _time.GetUtcNow(), change, subject, name, grants, everywhere);
        if (!Fits(entry))
        {
            throw new MeshException(MeshErrors.RegistryInvalid, $"the registry of this device has {EntriesOfAuthorMax} entries and takes no more", "start with a new identity: move the data directory away and pair again");
        }

        Write(entry);
        Keep(entry);
        Fold();
    }

    private bool Fits(RegistryEntry entry)
    {
        bool isOwn = entry.Author == _self.PublicKey;
        return _chains.TryGetValue(entry.Author, out List<RegistryEntry>? chain)
            ? chain.Count < EntriesOfAuthorMax && (isOwn || _entriesOfOthers < EntriesOfOthersMax) && entry.Follows(chain[^1])
            : (isOwn || (_chains.Count < AuthorsMax && _entriesOfOthers < EntriesOfOthersMax)) && entry.Follows(null);
    }

    private bool IsKnown(RegistryEntry entry) =>
        _chains.TryGetValue(entry.Author, out List<RegistryEntry>? chain) && entry.Sequence <= (ulong)chain.Count && chain[(int)entry.Sequence - 1].Hash.AsSpan().SequenceEqual(entry.Hash);

    private void Keep(RegistryEntry entry)
    {
        if (!_chains.TryGetValue(entry.Author, out List<RegistryEntry>? chain))
        {
            _chains.Add(entry.Author, chain = []);
        }

        chain.Add(entry);
        if (entry.Author != _self.PublicKey)
        {
            _entriesOfOthers++;
            if (entry.IsEverywhere && entry.Subject != _self.PublicKey)
            {
                _heard.Add((entry.Subject, entry.Author));
            }
            else if (entry.Change == RegistryChange.Admit)
            {
                _heard.Remove((entry.Subject, entry.Author));
            }
        }
        else if (entry.Change is RegistryChange.Admit or RegistryChange.Forget)
        {
            _heard.RemoveWhere(heard => heard.Subject == entry.Subject);
        }
    }

    /// <summary>On disk before it counts.</summary>
    private void Write(RegistryEntry entry)
    {
        byte[] record = new byte[sizeof(int) + entry.Bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(record, entry.Bytes.Length);
        entry.Bytes.CopyTo(record, sizeof(int));
        try
        {
            // What an earlier write left behind when the disk was full is not read as an entry.
            _file.SetLength(_goodBytes);
            _file.Seek(_goodBytes, SeekOrigin.Begin);
            _file.Write(record);
            _file.Flush(flushToDisk: true);
            _goodBytes += record.Length;
        }
        catch (IOException error)
        {
            throw new MeshException(MeshErrors.RegistryFile, $"the registry cannot be written: {error.Message}", "free space on the disk of the data directory", error);
        }
    }

    private void Load(string path)
    {
        byte[] all = new byte[_file.Length];
        _file.ReadExactly(all);
        ReadOnlySpan<byte> rest = all;
        long good = 0;
        while (rest.Length >= sizeof(int))
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(rest);
            if (length is <= 0 or > RegistryEntry.BytesMax || rest.Length - sizeof(int) < length)
            {
                break;
            }

            if (!RegistryEntry.TryRead(rest.Slice(sizeof(int), length).ToArray(), out RegistryEntry? entry) || !Fits(entry))
            {
                throw new MeshException(MeshErrors.RegistryInvalid, $"the registry {path} is damaged at byte {good}", "restore it from a backup, or move it away and pair the devices again");
            }

            Keep(entry);
            rest = rest[(sizeof(int) + length)..];
            good += sizeof(int) + length;
        }

        // A last entry that a crash cut short was never told to anybody.
        _goodBytes = good;
        _file.SetLength(good);
        Fold();
        TakeUpRevocations();
    }

    private IReadOnlyList<RegistryEntry> ChainOf(DevicePublicKey author) => _chains.GetValueOrDefault(author) ?? [];

    private void Fold()
    {
        HashSet<DevicePublicKey> heard = [.. _heard.Select(each => each.Subject)];
        Dictionary<DeviceId, RegisteredDevice> devices = RegistryFold.Devices(_self.PublicKey, ChainOf, heard.Contains);
        _revoked = RegistryFold.Revoked(_chains.Values, key => key != _self.PublicKey && !devices.ContainsKey(key.Id));
        _devices = devices;
    }
}
