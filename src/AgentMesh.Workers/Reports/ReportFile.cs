using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Workers.Reports;

/// <summary>A file that a program replaces now and then. Reads it when it has changed; a file that cannot be read just now has not changed.</summary>
internal sealed class ReportFile(string path) : IDisposable
{
    private (DateTime WrittenAt, long Length) _seen;
    private (DateTime WrittenAt, long Length) _found;

    /// <summary>The file that was last found there, to tell one that was written on from one that has come in its place.</summary>
    private SafeFileHandle? _file;

    public string Path => path;

    /// <summary>Bytes of the file when it was last read.</summary>
    public long Length { get; private set; }

    /// <param name="bytesMax">Of a longer file only the end is read.</param>
    /// <param name="isFinal">False for one that may be half written: it is read when it was the same at the look before, or has come in the place of another.</param>
    /// <returns>Null where it is not there, is empty or has not changed.</returns>
    public byte[]? TryReadChange(int bytesMax, bool isFinal = true)
    {
        try
        {
            var there = new FileInfo(path);
            (DateTime WrittenAt, long Length) now = there.Exists && there.LinkTarget is null ? (there.LastWriteTimeUtc, there.Length) : default;
            if (now.Length == 0 || now == _seen)
            {
                return null;
            }

            bool hasReplaced = _file is { IsClosed: false } last && (File.GetLastWriteTimeUtc(last), RandomAccess.GetLength(last)) != now;
            bool hasRested = now == _found;
            _file?.Dispose();
            _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            _found = now;
            return isFinal || hasReplaced || hasRested ? Read(now, bytesMax) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Dispose() => _file?.Dispose();

    private byte[] Read((DateTime WrittenAt, long Length) now, int bytesMax)
    {
        byte[] bytes = new byte[(int)Math.Min(now.Length, bytesMax)];
        int read = RandomAccess.Read(_file!, bytes, Math.Max(0, now.Length - bytesMax));
        _seen = now;
        Length = now.Length;
        return bytes[..read];
    }
}
