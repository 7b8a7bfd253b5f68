using System.Runtime.InteropServices;
using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <summary>The one connection of a node to this shim; a newer one takes the place of an older one.</summary>
/// <param name="input">Takes what follows a frame with input; null where the program gets none.</param>
internal sealed class NodeLink(int listener, InputWriter? input)
{
    private readonly byte[] _incoming = new byte[ShimFrame.Size];
    private readonly byte[] _outgoing = new byte[ShimFrame.Size];
    private int _received;
    private long _inputLeft;

    public int Listener => listener;

    /// <summary>-1 without a node.</summary>
    public int Connection { get; private set; } = -1;

    /// <summary>The last frame did not fit: to be said again when there is room.</summary>
    public bool IsFull { get; private set; }

    public bool Accept()
    {
        int accepted = Native.Accept(listener, IntPtr.Zero, IntPtr.Zero, Native.CloseOnExec | Native.NonBlocking);
        if (accepted < 0)
        {
            return false;
        }

        Drop();
        Connection = accepted;
        return true;
    }

    public void Send(in ShimFrame frame)
    {
        if (Connection < 0)
        {
            return;
        }

        frame.Write(_outgoing);
        nint sent = Native.Write(Connection, ref _outgoing[0], ShimFrame.Size);
        IsFull = sent < 0 && Marshal.GetLastPInvokeError() == Native.TryAgain;
        if (sent != ShimFrame.Size && !IsFull)
        {
            Drop();
        }
    }

    /// <returns>Null when there is no whole frame (any more).</returns>
    public ShimFrame? Receive()
    {
        while (_inputLeft > 0 && Connection >= 0)
        {
            nint got = input!.Receive(Connection, _inputLeft);
            if (got <= 0)
            {
                if (got == 0 || Marshal.GetLastPInvokeError() != Native.TryAgain)
                {
                    Drop();
                }

                return null;
            }

            _inputLeft -= got;
        }

        if (Connection < 0)
        {
            return null;
        }

        nint read = Native.Read(Connection, ref _incoming[_received], ShimFrame.Size - _received);
        if (read < 0 && Marshal.GetLastPInvokeError() == Native.TryAgain)
        {
            return null;
        }

        if (read <= 0)
        {
            Drop();
            return null;
        }

        _received += (int)read;
        if (_received < ShimFrame.Size)
        {
            return null;
        }

        _received = 0;
        var frame = ShimFrame.Read(_incoming);
        if (frame.Kind == ShimFrameKind.Input)
        {
            if (input?.Fits(frame.A, frame.B) != true)
            {
                // It has lost count: a new connection begins with what is here.
                Drop();
                return null;
            }

            _inputLeft = frame.B;
        }

        return frame;
    }

    private void Drop()
    {
        if (Connection >= 0)
        {
            _ = Native.Close(Connection);
            Connection = -1;
            _received = 0;
            _inputLeft = 0;
            IsFull = false;
        }
    }
}
