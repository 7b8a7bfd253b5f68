using System.Runtime.InteropServices;
using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <summary>What a program reads: bytes that came from a node, until the program takes them.</summary>
internal sealed class InputWriter
{
    private const byte EndOfFile = 4;

    private readonly byte[] _bytes = new byte[ShimFiles.InputBytesMax];
    private readonly bool _isTerminal;
    private int _from;
    private int _to;
    private bool _isEnding;

    /// <param name="terminal">The master of the program's terminal; -1 for a pipe, which is opened when the program has opened it.</param>
    public InputWriter(int terminal)
    {
        _isTerminal = terminal >= 0;
        File = terminal;
    }

    /// <summary>-1 before the program has opened it, and after the end.</summary>
    public int File { get; private set; }

    /// <summary>Whether the program may still read.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The program has not opened its input yet.</summary>
    public bool IsAwaited => File < 0 && !IsClosed;

    public long Received { get; private set; }

    public long Taken { get; private set; }

    public bool HasPending => _from < _to;

    /// <summary>Reads at most <paramref name="count"/> bytes that the node sent.</summary>
    /// <returns>As <c>read</c>.</returns>
    public nint Receive(int connection, long count)
    {
        if (_from > 0 && (_from == _to || _to == _bytes.Length))
        {
            _bytes.AsSpan(_from, _to - _from).CopyTo(_bytes);
            _to -= _from;
            _from = 0;
        }

        nint read = Native.Read(connection, ref _bytes[_to], (nint)Math.Min(count, _bytes.Length - _to));
        if (read > 0)
        {
            Received += read;
            if (IsClosed)
            {
                Taken = Received;
            }
            else
            {
                _to += (int)read;
            }
        }

        return read;
    }

    /// <summary>Whether so many bytes at this offset are what comes next, and fit.</summary>
    public bool Fits(long offset, long count) => offset == Received && !_isEnding && count is > 0 and <= ShimFiles.InputBytesMax && count <= ShimFiles.InputBytesMax - (_to - _from);

    public void End() => _isEnding = true;

    /// <summary>Opens the pipe when the program waits for it, and gives the program what it takes now.</summary>
    public void Move()
    {
        if (IsAwaited)
        {
            File = Native.Open(ShimFiles.Input, Native.OpenWrite | Native.NonBlocking | Native.CloseOnExec, 0);
        }

        while (File >= 0 && HasPending)
        {
            nint wrote = Native.Write(File, ref _bytes[_from], _to - _from);
            if (wrote < 0)
            {
                if (Marshal.GetLastPInvokeError() != Native.TryAgain)
                {
                    Close();
                }

                return;
            }

            _from += (int)wrote;
            Taken += wrote;
        }

        if (File >= 0 && _isEnding)
        {
            Finish();
        }
    }

    /// <summary>The program, or its terminal, has gone.</summary>
    public void Close()
    {
        if (File >= 0)
        {
            _ = Native.Close(File);
        }

        File = -1;
        IsClosed = true;
        _from = _to = 0;
        Taken = Received;
    }

    private void Finish()
    {
        if (_isTerminal)
        {
            byte end = EndOfFile;
            _ = Native.Write(File, ref end, 1);
        }

        Close();
    }
}
