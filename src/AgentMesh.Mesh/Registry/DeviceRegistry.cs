using System.Buffers.Binary;
using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <param name="Name">As it called itself when it was admitted, or was renamed to; unique here.</param>
/// <param name="Grants">What it may do on this device.</param>
public sealed record RegisteredDevice(DevicePublicKey Key, string Name, ImmutableSortedSet<string> Grants)
{
    public DeviceId Id => Key.Id;
}

/// <summary>
/// Who belongs to the mesh, as a signed chain per device. This device believes its own chain and those of devices that it, or one it believes,
/// has admitted. Grants count only from the own chain: nobody else decides what may be done here. Kept in one file, appended only. Thread-safe.
/// </summary>
public sealed class DeviceRegistry : IDisposable
{
    public const string FileName = "registry";

    private const int EntriesOfAuthorMax = 10_000;
    private const int AuthorsMax = 1_000;

    private readonly Lock _gate = new();
    private readonly DeviceIdentity _self;
    private readonly TimeProvider _time;
    private readonly FileStream _file;
    private readonly Dictionary<DevicePublicKey, List<RegistryEntry>> _chains = [];
    private volatile IReadOnlyDictionary<DeviceId, RegisteredDevice> _devices = new Dictionary<DeviceId, RegisteredDevice>();
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
        lock (_gate)
        {
            if (!IsAdmitted(key))
            {
                Append(RegistryChange.Admit, key, CheckName(name), []);
            }

            AppendGrants(key, Mesh.Grants.Grant.Check(grants));
            Fold();
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
            if (!_devices.TryGetValue(device, out RegisteredDevice? known))
            {
                throw new MeshException(MeshErrors.UnknownPeer, $"{device} is not in the registry", "'agentmesh peers' shows who is");
            }

            AppendGrants(known.Key, wanted);
            Fold();
        }

        Changed?.Invoke();
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
            foreach (byte[] bytes in entries)
            {
                if (RegistryEntry.TryRead(bytes, out RegistryEntry? entry) && entry.Author != _self.PublicKey && IsAdmitted(entry.Author) && TryKeep(entry))
                {
                    Write(entry);
                    changed = true;
                    Fold();
                }
                else if (entry is null)
                {
                    Interlocked.Increment(ref _refused);
                }
            }
        }

        if (changed)
        {
            Changed?.Invoke();
        }
    }

    public void Dispose() => _file.Dispose();

    private static string CheckName(string name)
    {
        string clean = new([.. name.Where(c => !char.IsControl(c) && !char.IsWhiteSpace(c) && c != '@').Take(RegistryEntry.NameCharactersMax)]);
        return clean.Length > 0 ? clean : "device";
    }

    private void AppendGrants(DevicePublicKey key, ImmutableSortedSet<string> grants)
    {
        ImmutableSortedSet<string> before = _devices.TryGetValue(key.Id, out RegisteredDevice? known) ? known.Grants : [];
        if (!before.SetEquals(grants))
        {
            Append(RegistryChange.Grants, key, "", grants);
        }
    }

    private void Append(RegistryChange change, DevicePublicKey subject, string name, IEnumerable<string> grants)
    {
        RegistryEntry? before = _chains.TryGetValue(_self.PublicKey, out List<RegistryEntry>? own) && own.Count > 0 ? own[^1] : null;
        RegistryEntry entry = RegistryEntry.Sign(_self, before, _time.GetUtcNow(), change, subject, name, grants);
        Write(entry);
        if (!TryKeep(entry))
        {
            throw new MeshException(MeshErrors.RegistryInvalid, $"the registry of this device has {EntriesOfAuthorMax} entries and takes no more", "start with a new identity: move the data directory away and pair again");
        }

        Fold();
    }

    private bool TryKeep(RegistryEntry entry)
    {
        if (!_chains.TryGetValue(entry.Author, out List<RegistryEntry>? chain))
        {
            if (_chains.Count >= AuthorsMax)
            {
                return false;
            }

            _chains.Add(entry.Author, chain = []);
        }

        if (chain.Count >= EntriesOfAuthorMax || !entry.Follows(chain.Count > 0 ? chain[^1] : null))
        {
            return false;
        }

        chain.Add(entry);
        return true;
    }

    /// <summary>On disk before it counts.</summary>
    private void Write(RegistryEntry entry)
    {
        try
        {
            Span<byte> length = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(length, entry.Bytes.Length);
            _file.Seek(0, SeekOrigin.End);
            _file.Write(length);
            _file.Write(entry.Bytes);
            _file.Flush(flushToDisk: true);
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

            if (!RegistryEntry.TryRead(rest.Slice(sizeof(int), length).ToArray(), out RegistryEntry? entry) || !TryKeep(entry))
            {
                throw new MeshException(MeshErrors.RegistryInvalid, $"the registry {path} is damaged at byte {good}", "restore it from a backup, or move it away and pair the devices again");
            }

            rest = rest[(sizeof(int) + length)..];
            good += sizeof(int) + length;
        }

        // A last entry that a crash cut short was never told to anybody.
        if (good < all.Length)
        {
            _file.SetLength(good);
        }

        Fold();
    }

    /// <summary>From the own chain outward: who is admitted, by what name, with which grants here.</summary>
    private void Fold()
    {
        var devices = new Dictionary<DeviceId, RegisteredDevice>();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var open = new Queue<DevicePublicKey>([_self.PublicKey]);
        var done = new HashSet<DevicePublicKey> { _self.PublicKey };
        while (open.TryDequeue(out DevicePublicKey author))
        {
            foreach (RegistryEntry entry in _chains.GetValueOrDefault(author) ?? [])
            {
                if (entry.Change == RegistryChange.Admit && entry.Subject != _self.PublicKey && done.Add(entry.Subject))
                {
                    devices[entry.Subject.Id] = new RegisteredDevice(entry.Subject, Unique(entry.Name, entry.Subject.Id, names), []);
                    open.Enqueue(entry.Subject);
                }
                else if (entry.Change == RegistryChange.Grants && author == _self.PublicKey && devices.TryGetValue(entry.Subject.Id, out RegisteredDevice? device))
                {
                    devices[entry.Subject.Id] = device with { Grants = [.. entry.Grants] };
                }
                else if (entry.Change == RegistryChange.Rename && author == _self.PublicKey && devices.TryGetValue(entry.Subject.Id, out RegisteredDevice? renamed))
                {
                    devices[entry.Subject.Id] = renamed with { Name = Unique(entry.Name, entry.Subject.Id, names) };
                }
            }
        }

        // Grants for a device that another chain has admitted stand in the own chain before the admission is known.
        foreach (RegistryEntry entry in (_chains.GetValueOrDefault(_self.PublicKey) ?? []).Where(entry => entry.Change == RegistryChange.Grants))
        {
            if (devices.TryGetValue(entry.Subject.Id, out RegisteredDevice? device))
            {
                devices[entry.Subject.Id] = device with { Grants = [.. entry.Grants] };
            }
        }

        _devices = devices;
    }

    private static string Unique(string name, DeviceId id, HashSet<string> names)
    {
        if (names.Add(name))
        {
            return name;
        }

        // Two devices with one name: the second carries the beginning of its id.
        string longer = $"{name}-{id.ToString()[..4]}";
        names.Add(longer);
        return longer;
    }
}
