using System.Buffers.Binary;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Registry;

/// <summary>The entries of all chains in the order in which they came: 4 bytes of length (little-endian), then the entry. Appended only.</summary>
internal sealed class RegistryFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;
    private long _goodBytes;

    private RegistryFile(string path, FileStream file)
    {
        _path = path;
        _file = file;
    }

    /// <exception cref="MeshException">AM0331: the file cannot be used.</exception>
    public static RegistryFile Open(string path)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            return new RegistryFile(path, new FileStream(path, options));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw CannotBeUsed(path, error);
        }
    }

    /// <summary>Reads all entries, and cuts off a last one that a crash left incomplete: it was never told to anybody.</summary>
    /// <param name="keep">Returns false for an entry that does not belong here.</param>
    /// <exception cref="MeshException">AM0331: the file cannot be read. AM0330: it is damaged, or holds what does not belong there.</exception>
    public void Load(Func<RegistryEntry, bool> keep)
    {
        try
        {
            byte[] all = new byte[_file.Length];
            _goodBytes = 0;
            _file.Seek(0, SeekOrigin.Begin);
            _file.ReadExactly(all);
            ReadOnlySpan<byte> rest = all;
            while (rest.Length >= sizeof(int))
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(rest);
                if (length is <= 0 or > RegistryEntry.BytesMax || rest.Length - sizeof(int) < length)
                {
                    if (!IsCutOff(rest, length))
                    {
                        throw Damaged();
                    }

                    break;
                }

                if (!RegistryEntry.TryRead(rest.Slice(sizeof(int), length).ToArray(), out RegistryEntry? entry) || !keep(entry))
                {
                    throw Damaged();
                }

                rest = rest[(sizeof(int) + length)..];
                _goodBytes += sizeof(int) + length;
            }

            _file.SetLength(_goodBytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw CannotBeUsed(_path, error);
        }
    }

    private MeshException Damaged() => new(MeshErrors.RegistryInvalid, $"the registry {_path} is damaged at byte {_goodBytes}", "restore it from a backup, or move it away and pair the devices again");

    /// <summary>
    /// A crash leaves the beginning of one entry at the end, or zeros where a file system grew the file first. What is more than that, or holds another entry, was damaged otherwise:
    /// to cut it off would forget devices that are trusted, and those that were put out.
    /// </summary>
    private static bool IsCutOff(ReadOnlySpan<byte> rest, int length)
    {
        if (!rest.ContainsAnyExcept((byte)0))
        {
            return true;
        }

        if (length is <= 0 or > RegistryEntry.BytesMax)
        {
            return false;
        }

        for (int at = 1; at + sizeof(int) < rest.Length; at++)
        {
            int next = BinaryPrimitives.ReadInt32LittleEndian(rest[at..]);
            if (next is > 0 and <= RegistryEntry.BytesMax && next <= rest.Length - at - sizeof(int) && RegistryEntry.TryRead(rest.Slice(at + sizeof(int), next).ToArray(), out _))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>On disk when it returns.</summary>
    /// <exception cref="MeshException">AM0331</exception>
    public void Append(RegistryEntry entry)
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

    public void Dispose() => _file.Dispose();

    private static MeshException CannotBeUsed(string path, Exception error) =>
        new(MeshErrors.RegistryFile, $"the registry {path} cannot be used: {error.Message}", "check the owner and the permissions of the data directory", error);
}
