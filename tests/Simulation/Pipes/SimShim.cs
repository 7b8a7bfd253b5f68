using AgentMesh.Shim.Format;
using Simulation.Engine;

namespace Simulation.Pipes;

/// <summary>
/// What stands beside a node for one program, as <c>Supervisor</c> and <c>InputWriter</c> do it: the files are real, what it says and hears are the product's frames. It lives and dies with its
/// machine, not with the node.
/// </summary>
internal sealed class SimShim
{
    private readonly SimLoop _loop;
    private readonly SimProcess _machine;
    private readonly LaunchFile _launch;
    private readonly PipeStage _stage;
    private readonly PipedProgram _program;
    private readonly byte[] _input = new byte[ShimFiles.InputBytesMax];
    private FileStream? _file;
    private SimShimLink? _link;
    private ShimOutcome? _ending;
    private int _from;
    private int _to;
    private long _acknowledged;
    private long _toldOutput;
    private (long Taken, bool IsClosed) _toldInput;
    private bool _hasEnded;

    public SimShim(SimLoop loop, SimProcess machine, string directory, LaunchFile launch, PipeStage stage)
    {
        _loop = loop;
        _machine = machine;
        Directory = directory;
        _launch = launch;
        _stage = stage;
        _program = new PipedProgram(loop, machine, this, stage);
    }

    public string Directory { get; }

    public bool IsAlive { get; private set; } = true;

    public bool IsRunning => IsAlive && !_hasEnded;

    public bool IsOutputClosed { get; private set; }

    /// <summary>Nothing more will come, and what came was taken.</summary>
    public bool IsInputAtEnd => _stage.InputEnd is not null && _from == _to;

    public long Room => _launch.SpoolBytesMax - (_stage.Written - _acknowledged);

    public void Begin()
    {
        _stage.Begin();
        _program.Begin();
    }

    /// <summary>Up to <paramref name="max"/> bytes of input.</summary>
    public int Take(int max)
    {
        int count = Math.Min(max, _to - _from);
        if (count > 0)
        {
            _stage.Reads(_input.AsSpan(_from, count));
            _from += count;
            Tell();
        }

        return count;
    }

    public void CloseInput()
    {
        _stage.IsInputClosed = true;
        _from = _to = 0;
        Tell();
    }

    public void Write(int count)
    {
        byte[] bytes = new byte[count];
        PipeContent.Fill(_stage.Content, _stage.Written, bytes);
        for (int at = 0; at < count;)
        {
            long number = (_stage.Written + at) / ShimFiles.SegmentBytes, within = (_stage.Written + at) % ShimFiles.SegmentBytes;
            if (_file is null || within == 0)
            {
                _file?.Dispose();
                _file = new FileStream(
                    Path.Combine(Directory, ShimFiles.Segment(ShimFiles.Stdout, number)), FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                _stage.HasOnDisk(System.IO.Directory.GetFiles(Directory, ShimFiles.Stdout + ".*").Sum(file => new FileInfo(file).Length), _launch.SpoolBytesMax);
            }

            int piece = (int)Math.Min(count - at, ShimFiles.SegmentBytes - within);
            _file.Write(bytes, at, piece);
            at += piece;
        }

        _stage.Writes(count, _launch.SpoolBytesMax, IsOutputClosed);
        Tell();
    }

    /// <summary>The program has ended.</summary>
    public void Exit(int code)
    {
        if (_hasEnded)
        {
            return;
        }

        _hasEnded = true;
        _file?.Dispose();
        var end = new EndRecord(_ending ?? ShimOutcome.Exited, code, _stage.Written, 0, 0);
        _stage.Ends(code, isOwn: _ending is null);
        _link?.Tell(end.ToFrame());
        _loop.After(_loop.Between(0.001, 0.03), _machine, () =>
        {
            // The node may have taken the end, and removed the directory.
            if (System.IO.Directory.Exists(Directory))
            {
                File.WriteAllText(Path.Combine(Directory, ShimFiles.End), end.ToString());
            }

            IsAlive = false;
            _link?.Close();
        });
    }

    public void Kill()
    {
        if (IsAlive)
        {
            IsAlive = false;
            _file?.Dispose();
            _stage.IsKilled = true;
            _link?.Close();
        }
    }

    /// <summary>A newer node takes the place of an older one.</summary>
    public void Connect(SimShimLink link)
    {
        if (!IsAlive)
        {
            link.Close();
            return;
        }

        _link?.Close();
        _link = link;
        link.Tell(new ShimFrame(ShimFrameKind.Hello, 0, ShimFrame.Version, _acknowledged, 0, _stage.Received));
        _toldOutput = -1;
        _toldInput = (-1, false);
        Tell();
    }

    public void Leave(SimShimLink link)
    {
        if (_link == link)
        {
            _link = null;
        }
    }

    public void Hear(SimShimLink from, byte[] message)
    {
        if (from != _link || !IsRunning)
        {
            return;
        }

        var frame = ShimFrame.Read(message);
        switch (frame.Kind)
        {
            case ShimFrameKind.Acknowledge:
                _acknowledged = Math.Clamp(frame.A, _acknowledged, _stage.Written);
                break;
            case ShimFrameKind.Input:
                Receive(frame.A, message.AsSpan(ShimFrame.Size, (int)frame.B));
                break;
            case ShimFrameKind.InputEnd:
                _stage.EndComes(frame.A);
                break;
            case ShimFrameKind.CloseOutput:
                _stage.OutputCloses();
                IsOutputClosed = true;
                break;
            case ShimFrameKind.Cancel:
                Cancel(TimeSpan.FromMilliseconds(frame.A));
                break;
        }

        _program.Wake();
    }

    private void Receive(long offset, ReadOnlySpan<byte> bytes)
    {
        if (!_stage.Receives(offset, bytes.Length))
        {
            return;
        }

        if (_stage.IsInputClosed)
        {
            Tell();
            return;
        }

        if (_to + bytes.Length > _input.Length)
        {
            _input.AsSpan(_from, _to - _from).CopyTo(_input);
            (_from, _to) = (0, _to - _from);
        }

        if (_stage.HasRoom(_to + bytes.Length <= _input.Length))
        {
            bytes.CopyTo(_input.AsSpan(_to));
            _to += bytes.Length;
        }
    }

    private void Cancel(TimeSpan grace)
    {
        if (_ending is null)
        {
            _ending = ShimOutcome.Cancelled;
            _loop.After(_stage.Plan.IsStubborn ? grace : _loop.Between(0.001, 0.5), _machine, () => Exit(_stage.Plan.IsStubborn ? 137 : 143));
        }
    }

    private void Tell()
    {
        if (_link is null || _hasEnded)
        {
            return;
        }

        (long Taken, bool IsClosed) input = (_stage.IsInputClosed ? _stage.Received : _stage.Read, _stage.IsInputClosed);
        if (_stage.Before is not null && input != _toldInput)
        {
            _toldInput = input;
            _link.Tell(new ShimFrame(ShimFrameKind.InputTaken, (byte)(input.IsClosed ? 1 : 0), 0, input.Taken, 0, 0));
        }

        if (_stage.Written != _toldOutput)
        {
            _toldOutput = _stage.Written;
            _link.Tell(new ShimFrame(ShimFrameKind.Output, 0, 0, _stage.Written, 0, 0));
        }
    }
}
