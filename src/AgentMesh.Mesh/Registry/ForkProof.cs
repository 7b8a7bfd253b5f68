using AgentMesh.Files;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>
/// The proof that a key of this device is in two hands: a SUCCEED of a key that is not its own, with the SUCCESSOR that a key of its own has signed. No word of whoever passes it on is believed. One is enough and
/// further ones are not kept; it stands in a file of its own, because in the chains of this device it means nothing. Not thread-safe.
/// </summary>
internal sealed class ForkProof
{
    /// <summary>Of the file beside the registry.</summary>
    public const string Suffix = ".fork";

    private readonly string _path;
    private readonly RegistryChains _chains;
    private RegistryEntry? _entry;
    private bool _isOnDisk;

    /// <summary>A file that is damaged or proves nothing against this device says nothing; the others still know.</summary>
    public ForkProof(string path, RegistryChains chains)
    {
        _path = path;
        _chains = chains;
        _entry = Read(path);
        _isOnDisk = Entry is not null;
    }

    /// <summary>Null while no key of this device is known to be in two hands.</summary>
    public RegistryEntry? Entry => _entry is { } entry && Proves(entry) ? entry : null;

    /// <summary>Whether an entry, which has its author's signature, proves it.</summary>
    public bool Proves(RegistryEntry entry) => entry.Change == RegistryChange.Succeed && _chains.IsOwn(entry.Subject) && !_chains.IsOwn(entry.Author);

    /// <param name="entry">One that proves it.</param>
    /// <returns>Whether it was not known before.</returns>
    public bool Keep(RegistryEntry entry)
    {
        bool isNew = Entry is null;
        if (isNew)
        {
            _entry = entry;
            _isOnDisk = false;
        }

        if (!_isOnDisk)
        {
            _isOnDisk = TryWrite(_entry!.Bytes);
        }

        return isNew;
    }

    private static RegistryEntry? Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file is { Exists: true, Length: <= RegistryEntry.BytesMax } && RegistryEntry.TryRead(File.ReadAllBytes(path), out RegistryEntry? entry) ? entry : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Where it fails it counts while the node lives, and is written when it is heard again.</summary>
    private bool TryWrite(byte[] bytes)
    {
        try
        {
            WholeFile.Write(_path, isSecret: false, file => file.Write(bytes));
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
