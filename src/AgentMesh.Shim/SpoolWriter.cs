using System.Runtime.InteropServices;
using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <summary>Moves what a program writes to one stream from its pipe into the files of its spool.</summary>
internal sealed class SpoolWriter(string name, int pipe)
{
    private const int PieceBytes = 64 * 1024;

    private readonly byte[] _piece = new byte[PieceBytes];
    private int _from;
    private int _to;
    private int _file = -1;

    /// <summary>-1 when the program and all it started have closed it.</summary>
    public int Pipe { get; private set; } = pipe;

    public long Length { get; private set; }

    /// <summary>Bytes were read that could not be written yet.</summary>
    public bool HasPending => _from < _to;

    /// <summary>Reads once, at most <paramref name="room"/> bytes, and writes them.</summary>
    /// <returns>0, or why they could not be written (<see cref="HasPending"/>).</returns>
    public int Move(long room)
    {
        nint read = Native.Read(Pipe, ref _piece[0], (nint)Math.Min(PieceBytes, room));
        if (read < 0 && Marshal.GetLastPInvokeError() == Native.TryAgain)
        {
            return 0;
        }

        if (read <= 0)
        {
            Close();
            return 0;
        }

        _from = 0;
        _to = (int)read;
        return WritePending();
    }

    public int WritePending()
    {
        while (HasPending)
        {
            long within = Length % ShimFiles.SegmentBytes;
            if (_file < 0)
            {
                _file = Native.Open(ShimFiles.Segment(name, Length / ShimFiles.SegmentBytes), Native.OpenWrite | Native.OpenCreate | Native.OpenAppend | Native.CloseOnExec, 0x180);
            }

            nint wrote = _file < 0 ? -1 : Native.Write(_file, ref _piece[_from], (nint)Math.Min(_to - _from, ShimFiles.SegmentBytes - within));
            if (wrote < 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            _from += (int)wrote;
            Length += wrote;
            if (Length % ShimFiles.SegmentBytes == 0)
            {
                _ = Native.Close(_file);
                _file = -1;
            }
        }

        return 0;
    }

    public void Close()
    {
        if (Pipe >= 0)
        {
            _ = Native.Close(Pipe);
            Pipe = -1;
        }
    }

    /// <summary>What the home does not have yet is on disk when this returns.</summary>
    public void SyncFrom(long acknowledged)
    {
        for (long number = acknowledged / ShimFiles.SegmentBytes; number * ShimFiles.SegmentBytes < Length; number++)
        {
            EndFile.Sync(ShimFiles.Segment(name, number));
        }
    }
}
