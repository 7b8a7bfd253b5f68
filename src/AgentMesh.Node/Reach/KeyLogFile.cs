using System.Globalization;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Node.Reach;

/// <summary>The secrets of sessions as lines of a file that only its owner reads (wire-v1.md, "Key log"). Full at <see cref="BytesMax"/>: what comes later is not in it.</summary>
internal sealed class KeyLogFile : IKeyLog, IDisposable
{
    private const long BytesMax = 64 << 20;

    private readonly FileStream _file;
    private readonly Lock _gate = new();

    private KeyLogFile(FileStream file) => _file = file;

    /// <exception cref="MeshException">AM0203: it cannot be written.</exception>
    public static KeyLogFile Open(string path)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.Read };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            return new KeyLogFile(new FileStream(path, options));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(NodeErrors.ConfigurationValue, $"agentmesh.security.key-log: {path} cannot be written: {error.Message}", "name another file, or leave the setting empty", error);
        }
    }

    public void Add(ConnectionId toInitiator, ConnectionId toResponder, CipherSuite suite, uint epoch, ReadOnlySpan<byte> secret)
    {
        string line = string.Create(CultureInfo.InvariantCulture, $"AGENTMESH_SECRET {toInitiator} {toResponder} {(byte)suite} {epoch} {Convert.ToHexStringLower(secret)}\n");
        lock (_gate)
        {
            if (_file.CanWrite && _file.Length + line.Length <= BytesMax)
            {
                try
                {
                    _file.Write(Encoding.ASCII.GetBytes(line));
                    _file.Flush();
                }
                catch (IOException)
                {
                    // A full disk costs the log a line, not the session.
                }
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file.Dispose();
        }
    }
}
