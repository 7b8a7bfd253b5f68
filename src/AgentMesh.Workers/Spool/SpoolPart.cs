using System.Globalization;
using AgentMesh.Shim.Format;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Workers.Spool;

/// <summary>The files of one stream. <see cref="Length"/> and <see cref="Acknowledged"/> are guarded by the spool.</summary>
internal sealed class SpoolPart : IDisposable
{
    private readonly string _directory;
    private readonly string _name;
    private readonly Lock _files = new();
    private (long Number, SafeFileHandle File)? _reading;
    private (long Number, SafeFileHandle File)? _writing;
    private long _head;
    private bool _isStarted;
    private bool _isDisposed;

    private SpoolPart(string directory, string name)
    {
        _directory = directory;
        _name = name;
    }

    public long Length { get; set; }

    public long Acknowledged { get; set; }

    public static SpoolPart Open(string directory, string name)
    {
        var part = new SpoolPart(directory, name);
        long[] numbers = part.Numbers();
        if (numbers.Length > 0)
        {
            part.StartAt(numbers[0]);
            part.Length = part.BytesOnDisk();
        }

        return part;
    }

    /// <summary>Another process has written so far.</summary>
    public void Advance(long length)
    {
        if (length <= Length)
        {
            return;
        }

        Length = length;
        if (!_isStarted)
        {
            // Only what the home has was removed: by an earlier process of this node, when the first file is not there.
            long[] numbers = Numbers();
            StartAt(numbers.Length > 0 ? numbers[0] : length / ShimFiles.SegmentBytes);
            Acknowledged = numbers.Length > 0 ? Acknowledged : length;
        }
    }

    /// <summary>Where the last file ends; 0 where there is none.</summary>
    public long BytesOnDisk() => Numbers() is { Length: > 0 } numbers ? (numbers[^1] * ShimFiles.SegmentBytes) + new FileInfo(FileOf(numbers[^1])).Length : 0;

    /// <summary>At <see cref="Length"/>, which the caller advances.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        for (long at = Length; !data.IsEmpty;)
        {
            long number = at / ShimFiles.SegmentBytes, within = at % ShimFiles.SegmentBytes;
            ReadOnlyMemory<byte> piece = data[..(int)Math.Min(data.Length, ShimFiles.SegmentBytes - within)];
            SafeFileHandle file = Handle(ref _writing, number, FileMode.OpenOrCreate, FileAccess.Write);
            await RandomAccess.WriteAsync(file, piece, within, cancellationToken).ConfigureAwait(false);
            data = data[piece.Length..];
            at += piece.Length;
        }
    }

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        long number = offset / ShimFiles.SegmentBytes, within = offset % ShimFiles.SegmentBytes;
        return RandomAccess.ReadAsync(
            Handle(ref _reading, number, FileMode.Open, FileAccess.Read), buffer[..(int)Math.Min(buffer.Length, ShimFiles.SegmentBytes - within)], within, cancellationToken);
    }

    public void RemoveAcknowledged()
    {
        for (; (_head + 1) * ShimFiles.SegmentBytes <= Acknowledged; _head++)
        {
            File.Delete(FileOf(_head));
        }
    }

    public void Dispose()
    {
        lock (_files)
        {
            _isDisposed = true;
            _reading?.File.Dispose();
            _writing?.File.Dispose();
        }
    }

    private SafeFileHandle Handle(ref (long Number, SafeFileHandle File)? open, long number, FileMode mode, FileAccess access)
    {
        lock (_files)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (open is { } present && present.Number == number)
            {
                return present.File;
            }

            open?.File.Dispose();
            open = null;
            SafeFileHandle file = File.OpenHandle(FileOf(number), mode, access, FileShare.ReadWrite | FileShare.Delete);
            open = (number, file);
            return file;
        }
    }

    private string FileOf(long number) => Path.Combine(_directory, ShimFiles.Segment(_name, number));

    private void StartAt(long number)
    {
        _isStarted = true;
        _head = number;
        Acknowledged = Math.Max(Acknowledged, number * ShimFiles.SegmentBytes);
    }

    private long[] Numbers() => [.. Directory.GetFiles(_directory, _name + ".*").Select(NumberOf).Where(number => number >= 0).Order()];

    private static long NumberOf(string file) =>
        long.TryParse(Path.GetExtension(file).AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : -1;
}
