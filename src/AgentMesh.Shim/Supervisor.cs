using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <summary>
/// One thread and one <c>poll</c>: output from the program to the spool, frames from and to a node, and what time brings about. States:
/// <code>
/// running   cancel, timeout, lease over, spool failed -> ending (SIGTERM to the group; SIGKILL after the grace)
/// running, ending   the guard has ended -> draining (SIGKILL to what is left)
/// draining  both pipes closed, or the grace is over -> over (the end is told, then kept on disk, then this process ends)
/// </code>
/// </summary>
internal sealed class Supervisor(LaunchFile launch, StartedProgram program, int control)
{
    /// <summary>A disk without room is tried again so often.</summary>
    private const int RetryMilliseconds = 500;

    /// <summary>A disk without room for so long ends the program.</summary>
    private const int StalledMilliseconds = 60_000;

    /// <summary>How often ended strays are collected, and the clock is looked at.</summary>
    private const int RoundMilliseconds = 5_000;

    /// <summary>What lies in the pipes when the program has ended may go beyond the bound.</summary>
    private const long DrainBytes = 4 * ShimFiles.SegmentBytes;

    private readonly SpoolWriter _out = new(ShimFiles.Stdout, program.Stdout);
    private readonly SpoolWriter _error = new(ShimFiles.Stderr, program.Stderr);
    private readonly InputWriter? _input = launch.TakesInput ? new(program.Terminal) : null;
    private readonly PollEntry[] _entries = new PollEntry[7];
    private NodeLink _node = null!;
    private int _done = program.Done;
    private int _go = program.Go;
    private readonly long _began = Environment.TickCount64;
    private long _acknowledgedOut;
    private long _acknowledgedError;
    private long _toldOut;
    private long _toldError;
    private (long Taken, bool IsClosed) _toldInput;
    private long _aloneSince = Environment.TickCount64;
    private long? _killAt;
    private long? _drainUntil;
    private long? _stalledSince;
    private long _retryAt;
    private int _stallErrno;
    private ShimOutcome? _ending;
    private int? _exitCode;

    /// <summary>How often it is looked whether the program has opened its input.</summary>
    private const int InputMilliseconds = 2;

    public void Run()
    {
        _node = new NodeLink(control, _input);
        while (!IsOver)
        {
            Wait();
            Collect();
            Converse();
            Pump();
            Watch();
            Tell();
        }

        Conclude();
    }

    private static long Now => Environment.TickCount64;

    private bool IsOver => _exitCode is not null && ((_out.Pipe < 0 && _error.Pipe < 0 && !_out.HasPending && !_error.HasPending) || Now >= _drainUntil);

    private long Room => launch.SpoolBytesMax + (_exitCode is null ? 0 : DrainBytes) - (_out.Length - _acknowledgedOut) - (_error.Length - _acknowledgedError);

    private void Wait()
    {
        bool mayRead = _stalledSince is null && Room > 0;
        Set(0, _node.Listener, Native.PollIn);
        Set(1, _node.Connection, (short)(Native.PollIn | (_node.IsFull ? Native.PollOut : 0)));
        Set(2, _exitCode is null ? program.Watch : -1, Native.PollIn);
        Set(3, mayRead ? _out.Pipe : -1, Native.PollIn);
        Set(4, mayRead ? _error.Pipe : -1, Native.PollIn);
        Set(6, _done, Native.PollIn);
        Set(5, _input?.File ?? -1, _input?.HasPending == true ? Native.PollOut : (short)0);

        // Without a watch of the guard the clock has to do.
        long until = Now + (program.Watch < 0 ? 50 : RoundMilliseconds);
        until = Math.Min(until, _input?.IsAwaited == true && _exitCode is null ? Now + InputMilliseconds : until);
        until = Math.Min(until, IsLeaving && mayRead ? Now : until);
        until = Math.Min(until, _killAt ?? until);
        until = Math.Min(until, _drainUntil ?? until);
        until = Math.Min(until, _stalledSince is null ? until : _retryAt);
        until = Math.Min(until, _ending is null && launch.Timeout is { } limit ? _began + (long)limit.TotalMilliseconds : until);
        _ = Native.Poll(_entries, (nuint)_entries.Length, (int)Math.Max(0, until - Now));
    }

    /// <summary>The program on the terminal has ended, and what it wrote is not yet read.</summary>
    private bool IsLeaving => _done < 0 && _go >= 0;

    private void Set(int index, int file, short events) => _entries[index] = new PollEntry { File = file, Events = events };

    private bool Happened(int index) => _entries[index].File >= 0 && _entries[index].Happened != 0;

    /// <summary>Takes the end of the guard, and of strays that became children of this process.</summary>
    private void Collect()
    {
        int ended;
        while ((ended = Native.Wait(-1, out int status, Native.WaitNoHang)) > 0)
        {
            if (ended == program.Identity.Id && _exitCode is null)
            {
                _exitCode = (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
                _killAt = null;
                _drainUntil = Now + (long)launch.Grace.TotalMilliseconds;
                KillAll();
            }
        }
    }

    private void Converse()
    {
        if (Happened(0) && _node.Accept())
        {
            _node.Send(new ShimFrame(ShimFrameKind.Hello, 0, ShimFrame.Version, _acknowledgedOut, _acknowledgedError, _input?.Received ?? 0));
            _toldOut = _toldError = -1;
            _toldInput = (-1, false);
        }

        while (_node.Receive() is { } frame)
        {
            if (frame.Kind == ShimFrameKind.Acknowledge)
            {
                _acknowledgedOut = Math.Clamp(frame.A, _acknowledgedOut, _out.Length);
                _acknowledgedError = Math.Clamp(frame.B, _acknowledgedError, _error.Length);
            }
            else if (frame.Kind == ShimFrameKind.Cancel)
            {
                End(ShimOutcome.Cancelled, frame.A);
            }
            else
            {
                Interact(frame);
            }
        }

        if (_node.Connection >= 0)
        {
            _aloneSince = Now;
        }
    }

    private void Interact(in ShimFrame frame)
    {
        switch (frame.Kind)
        {
            case ShimFrameKind.InputEnd:
                _input?.End();
                break;
            case ShimFrameKind.Resize when program.Terminal >= 0 && _out.Pipe >= 0 && frame is { A: > 0 and <= ushort.MaxValue, B: > 0 and <= ushort.MaxValue }:
                PseudoTerminal.SetSize(_out.Pipe, new TerminalSize((int)frame.A, (int)frame.B));
                break;
            case ShimFrameKind.HangUp:
                SignalTerminal(Native.SigHangUp);
                SignalTerminal(Native.SigContinue);
                break;
            case ShimFrameKind.CloseOutput:
                _out.Close();
                break;
        }
    }

    /// <summary>What a terminal controls has a session of its own, which the group of the guard does not reach.</summary>
    private void SignalTerminal(int signal)
    {
        if (_out.Pipe >= 0 && program.Terminal >= 0)
        {
            PseudoTerminal.Signal(_out.Pipe, signal);
        }
    }

    private void Pump()
    {
        if (_input is not null)
        {
            if (Happened(5) && (_entries[5].Happened & (Native.PollError | Native.PollHangUp)) != 0)
            {
                _input.Close();
            }

            _input.Move();
        }

        if (_stalledSince is not null)
        {
            if (Now >= _retryAt && Wrote(_out.WritePending()) && Wrote(_error.WritePending()))
            {
                _stalledSince = null;
            }

            return;
        }

        if (Happened(3) && Room > 0)
        {
            _ = Wrote(_out.Move(Room));
        }
        else if (IsLeaving && _entries[3].File >= 0)
        {
            // It was asked, and nothing is left.
            _ = Native.Close(_go);
            _go = -1;
        }

        if (Happened(6))
        {
            _ = Native.Close(_done);
            _done = -1;
        }

        if (Happened(4) && Room > 0 && _stalledSince is null)
        {
            _ = Wrote(_error.Move(Room));
        }
    }

    /// <summary>No room is waited for; the program waits too, at its next write.</summary>
    private bool Wrote(int errno)
    {
        if (errno == 0)
        {
            return true;
        }

        _stallErrno = errno;
        _stalledSince ??= Now;
        _retryAt = Now + RetryMilliseconds;
        return false;
    }

    private void Watch()
    {
        long now = Now;
        if (launch.Timeout is { } limit && now - _began >= (long)limit.TotalMilliseconds)
        {
            End(ShimOutcome.TimedOut, (long)launch.Grace.TotalMilliseconds);
        }

        if (launch.Lease is { } lease && now - _aloneSince >= (long)lease.TotalMilliseconds)
        {
            End(ShimOutcome.LeaseOver, (long)launch.Grace.TotalMilliseconds);
        }

        if (_stalledSince is { } since && now - since >= StalledMilliseconds)
        {
            End(ShimOutcome.SpoolFailed, (long)launch.Grace.TotalMilliseconds);
        }

        if (now >= _killAt && _exitCode is null)
        {
            _killAt = null;
            KillAll();
        }
    }

    private void End(ShimOutcome why, long grace)
    {
        if (_ending is null && _exitCode is null)
        {
            _ending = why;
            _killAt = Now + grace;
            _ = Native.Kill(-program.Identity.Id, Native.SigTerm);

            // Shells with a terminal do not listen to SIGTERM.
            SignalTerminal(Native.SigTerm);
            SignalTerminal(Native.SigHangUp);
            SignalTerminal(Native.SigContinue);
        }
    }

    /// <summary>
    /// The group, and what has left it: when its parent has ended it is a child of this process. The number of the group stays taken while any member
    /// lives, so it cannot hit a stranger.
    /// </summary>
    private void KillAll()
    {
        _ = Native.Kill(-program.Identity.Id, Native.SigKill);
        SignalTerminal(Native.SigKill);
        KillCgroup();
        if (_exitCode is not null)
        {
            Strays.KillChildren();
        }
    }

    /// <summary>What no signal to a group and no parent reaches. This process is not in it.</summary>
    private void KillCgroup()
    {
        if (launch.Environment.TryGetValue(Guard.CgroupVariable, out string? group) && Native.Open(group + "/cgroup.kill", Native.OpenWrite | Native.CloseOnExec, 0) is >= 0 and int file)
        {
            byte one = (byte)'1';
            _ = Native.Write(file, ref one, 1);
            _ = Native.Close(file);
        }
    }

    private void Tell()
    {
        if (_input is not null && _node.Connection >= 0 && (_input.Taken, _input.IsClosed) is var input && input != _toldInput)
        {
            _node.Send(new ShimFrame(ShimFrameKind.InputTaken, (byte)(input.IsClosed ? 1 : 0), 0, input.Taken, 0, 0));
            if (_node.IsFull)
            {
                return;
            }

            _toldInput = input;
        }

        if (_node.Connection >= 0 && (_out.Length != _toldOut || _error.Length != _toldError || _node.IsFull))
        {
            _node.Send(new ShimFrame(ShimFrameKind.Output, 0, 0, _out.Length, _error.Length, 0));
            if (!_node.IsFull)
            {
                _toldOut = _out.Length;
                _toldError = _error.Length;
            }
        }
    }

    private void Conclude()
    {
        KillCgroup();
        Strays.KillChildren();
        var end = new EndRecord(_ending ?? ShimOutcome.Exited, _exitCode!.Value, _out.Length, _error.Length, _stallErrno);

        // The node need not wait for the disk: should it be killed as well just now, the attempt is lost, and repeated.
        _node.Send(end.ToFrame());
        _out.SyncFrom(_acknowledgedOut);
        _error.SyncFrom(_acknowledgedError);
        EndFile.Sync(ShimFiles.Order);
        try
        {
            EndFile.Write(end);
        }
        catch (IOException)
        {
            // The node has taken the end and removed the directory, or the disk is full: then the attempt is lost unless a node has heard it.
        }
    }
}
