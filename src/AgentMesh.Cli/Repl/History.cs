using AgentMesh.Files;


namespace AgentMesh.Cli.Repl;

/// <summary>The lines of earlier and of this session, in a file of the data directory that only the user reads. At most <see cref="LinesMax"/> are kept.</summary>
internal sealed class History
{
    public const int LinesMax = 1000;

    private readonly string? _file;
    private readonly List<string> _lines = [];
    private int _at;
    private string? _typed;

    public History(string? file)
    {
        _file = file;
        if (file is not null && File.Exists(file))
        {
            _lines.AddRange(File.ReadLines(file).TakeLast(LinesMax));
        }
    }

    public IReadOnlyList<string> Lines => _lines;

    public void StartAtEnd()
    {
        _at = _lines.Count;
        _typed = null;
    }

    /// <summary>The line was edited: the next step looks for lines that begin as it does now.</summary>
    public void Edited() => _typed = null;

    public void Add(string line)
    {
        if (string.IsNullOrWhiteSpace(line) || (_lines.Count > 0 && _lines[^1] == line))
        {
            return;
        }

        _lines.Add(line);
        if (_lines.Count > LinesMax)
        {
            _lines.RemoveRange(0, _lines.Count - LinesMax);
        }

        Save();
    }

    /// <summary>The next older line that begins as what was typed, and is another one than that on the prompt.</summary>
    /// <param name="line">What is on the prompt.</param>
    /// <returns>Null where there is none.</returns>
    public string? Older(string line)
    {
        Begin(line);
        for (int at = _at - 1; at >= 0; at--)
        {
            if (Fits(at, line))
            {
                return _lines[_at = at];
            }
        }

        return null;
    }

    /// <summary>The next newer one; after the newest what was typed.</summary>
    public string Newer(string line)
    {
        Begin(line);
        for (int at = _at + 1; at < _lines.Count; at++)
        {
            if (Fits(at, line))
            {
                return _lines[_at = at];
            }
        }

        _at = _lines.Count;
        return _typed!;
    }

    private void Begin(string line)
    {
        if (_typed is null)
        {
            (_typed, _at) = (line, _lines.Count);
        }
    }

    private bool Fits(int at, string line) => _lines[at].StartsWith(_typed!, StringComparison.Ordinal) && _lines[at] != line;

    private void Save()
    {
        if (_file is null)
        {
            return;
        }

        try
        {
            WholeFile.Write(_file, string.Concat(_lines.Select(line => line + "\n")), isSecret: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A history that cannot be kept must not stop the work.
        }
    }
}
