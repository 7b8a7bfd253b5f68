using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Reports;

/// <summary>
/// What a program says of itself: how far it is, by lines in its output or in a file, and a checkpoint, in a file that the next attempt finds. The files lie in
/// the directory of the attempt, so that a node that takes it over finds them. Thread-safe.
/// </summary>
internal sealed class ProgramReports(string directory)
{
    public const string CheckpointVariable = "AGENTMESH_CHECKPOINT";
    public const string ProgressVariable = "AGENTMESH_PROGRESS";

    private readonly Lock _gate = new();
    private readonly ReportFile _checkpointFile = new(Path.Combine(directory, "checkpoint"));
    private readonly ReportFile _progressFile = new(Path.Combine(directory, "progress"));
    private readonly ReportScanner _stdout = new();
    private readonly ReportScanner _stderr = new();
    private Checkpoint? _given;
    private Checkpoint? _seen;
    private Progress? _progress;
    private int _number;
    private int _kept;
    private bool _isOver;

    /// <summary>The newest; null where the program has said nothing.</summary>
    public Progress? Progress
    {
        get
        {
            lock (_gate)
            {
                return _progress;
            }
        }
    }

    /// <summary>The newest checkpoint that the home has not acknowledged, with its number; null for none.</summary>
    public (int Number, Checkpoint Data)? Unkept
    {
        get
        {
            lock (_gate)
            {
                return _seen is { } left && _number > _kept ? (_number, left) : null;
            }
        }
    }

    /// <summary>Before the program starts.</summary>
    /// <param name="given">From an earlier attempt; null for none.</param>
    public void Prepare(Checkpoint? given, Dictionary<string, string> environment)
    {
        environment[CheckpointVariable] = _checkpointFile.Path;
        environment[ProgressVariable] = _progressFile.Path;
        if (given is not null)
        {
            _given = given;
            File.WriteAllBytes(_checkpointFile.Path, [.. given.Data]);
        }
    }

    /// <summary>Output that goes by.</summary>
    public void Take(SpoolStream stream, long offset, ReadOnlySpan<byte> piece)
    {
        lock (_gate)
        {
            _progress = (stream == SpoolStream.Stdout ? _stdout : _stderr).Take(offset, piece) ?? _progress;
        }
    }

    /// <summary>Looks at the files.</summary>
    /// <param name="hasEnded">Nobody writes any more: this is the last look.</param>
    public void Look(bool hasEnded = false)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = hasEnded;
            if (_progressFile.TryReadChange(ProgressLine.BytesMax) is { } said)
            {
                _progress = LastLine(said) is { IsEmpty: false } line ? ProgressLine.Read(line) : _progress;
            }

            if (_checkpointFile.TryReadChange(Checkpoint.BytesMax, hasEnded) is { } data)
            {
                Left(data);
            }

            if (hasEnded)
            {
                _checkpointFile.Dispose();
                _progressFile.Dispose();
            }
        }
    }

    public void Kept(int number)
    {
        lock (_gate)
        {
            _kept = Math.Max(_kept, number);
        }
    }

    private void Left(byte[] data)
    {
        if (_checkpointFile.Length > Checkpoint.BytesMax)
        {
            _progress = Progress.Bounded(
                _progress?.Fraction, $"the checkpoint has {_checkpointFile.Length} bytes and is not kept; {Checkpoint.BytesMax} are the most: keep the rest in files of your own");
            return;
        }

        var left = new Checkpoint([.. data]);
        if (left != (_seen ?? _given))
        {
            _seen = left;
            _number++;
        }
    }

    private static ReadOnlySpan<byte> LastLine(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> trimmed = text.TrimEnd("\r\n \t"u8);
        return trimmed[(trimmed.LastIndexOf((byte)'\n') + 1)..];
    }
}
