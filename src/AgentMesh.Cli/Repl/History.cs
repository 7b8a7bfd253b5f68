namespace AgentMesh.Cli.Repl;

/// <summary>The lines of earlier and of this session, in a file of the data directory that only the user reads. At most <see cref="LinesMax"/> are kept.</summary>
internal sealed class History
{
    public const int LinesMax = 1000;

    private readonly string? _file;
    private readonly List<string> _lines = [];
    private int _at;

    public History(string? file)
    {
        _file = file;
        if (file is not null && File.Exists(file))
        {
            _lines.AddRange(File.ReadLines(file).TakeLast(LinesMax));
        }
    }

    public IReadOnlyList<string> Lines => _lines;

    public void StartAtEnd() => _at = _lines.Count;

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

    /// <summary>Null at the oldest.</summary>
    public string? Older() => _at > 0 ? _lines[--_at] : null;

    /// <summary>Empty after the newest.</summary>
    public string? Newer() => _at + 1 < _lines.Count ? _lines[++_at] : StepOut();

    private string StepOut()
    {
        _at = _lines.Count;
        return "";
    }

    private void Save()
    {
        if (_file is null)
        {
            return;
        }

        try
        {
            string fresh = _file + ".new";
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var writer = new StreamWriter(fresh, options))
            {
                _lines.ForEach(writer.WriteLine);
            }

            File.Move(fresh, _file, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A history that cannot be kept must not stop the work.
        }
    }
}
