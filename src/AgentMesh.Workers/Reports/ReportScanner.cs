using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Workers.Reports;

/// <summary>Finds reports in one stream of a program's output as it goes by. Lines that are none cost a search and no copy.</summary>
internal sealed class ReportScanner
{
    private readonly byte[] _begun = new byte[ProgressLine.Mark.Length + ProgressLine.BytesMax];
    private long _next;
    private int _begunBytes;

    /// <summary>In the middle of a line that is no report.</summary>
    private bool _isElsewhere;

    /// <summary>Of output that was looked at before, only what is new counts.</summary>
    /// <returns>The newest report in it; null for none.</returns>
    public Progress? Take(long offset, ReadOnlySpan<byte> piece)
    {
        if (offset + piece.Length <= _next)
        {
            return null;
        }

        if (offset > _next)
        {
            // Somebody else has read what was between: the rest of this line cannot be known.
            _begunBytes = 0;
            _isElsewhere = true;
        }
        else
        {
            piece = piece[(int)(_next - offset)..];
        }

        _next = Math.Max(_next, offset) + piece.Length;
        return Scan(piece);
    }

    private Progress? Scan(ReadOnlySpan<byte> piece)
    {
        Progress? newest = null;
        int newline = piece.IndexOf((byte)'\n');
        if (newline < 0)
        {
            Begin(piece);
            return null;
        }

        if (!_isElsewhere)
        {
            Begin(piece[..newline]);
            newest = ReadBegun();
        }

        _begunBytes = 0;
        _isElsewhere = false;
        int last = piece.LastIndexOf((byte)'\n');
        newest = Newest(piece[newline..last]) ?? newest;
        Begin(piece[(last + 1)..]);
        return newest;
    }

    /// <summary>From the end: only the newest counts.</summary>
    private static Progress? Newest(ReadOnlySpan<byte> lines)
    {
        while (lines.LastIndexOf(ProgressLine.Mark) is > 0 and var at)
        {
            if (lines[at - 1] == (byte)'\n')
            {
                ReadOnlySpan<byte> report = lines[(at + ProgressLine.Mark.Length)..];
                int end = report.IndexOf((byte)'\n');
                return ProgressLine.Read(end < 0 ? report : report[..end]);
            }

            lines = lines[..at];
        }

        return null;
    }

    /// <summary>Keeps the part of a line whose end has not come, while it may be a report.</summary>
    private void Begin(ReadOnlySpan<byte> part)
    {
        if (_isElsewhere || part.IsEmpty)
        {
            return;
        }

        int taken = Math.Min(part.Length, _begun.Length - _begunBytes);
        part[..taken].CopyTo(_begun.AsSpan(_begunBytes));
        _begunBytes += taken;
        int known = Math.Min(_begunBytes, ProgressLine.Mark.Length);
        _isElsewhere = !_begun.AsSpan(0, known).SequenceEqual(ProgressLine.Mark[..known]);
    }

    private Progress? ReadBegun() => !_isElsewhere && _begunBytes > ProgressLine.Mark.Length
        ? ProgressLine.Read(_begun.AsSpan(ProgressLine.Mark.Length, _begunBytes - ProgressLine.Mark.Length))
        : null;
}
