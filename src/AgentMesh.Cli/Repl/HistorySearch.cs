namespace AgentMesh.Cli.Repl;

/// <summary>Looks for what is typed in earlier lines, the newest first, as it is typed.</summary>
/// <param name="lines">The oldest first.</param>
internal sealed class HistorySearch(IReadOnlyList<string> lines)
{
    private int _at = lines.Count;
    private bool _isForward;
    private bool _isFailing;

    public string Text { get; private set; } = "";

    /// <summary>The line that was found last; null before the first one.</summary>
    public string? Found => _at < lines.Count ? lines[_at] : null;

    /// <summary>What stands before the line that was found.</summary>
    public string Prompt => $"({(_isFailing ? "failing " : "")}{(_isForward ? "" : "reverse-")}i-search)`{Text}': ";

    public void Type(char key)
    {
        Text += key;

        // Where it is it may fit still.
        Look(Math.Min(_at, lines.Count - 1), _isForward ? 1 : -1);
    }

    public void Erase()
    {
        Text = Text.Length > 0 ? Text[..^1] : "";
        _at = lines.Count;
        _isForward = _isFailing = false;
        if (Text.Length > 0)
        {
            Look(lines.Count - 1, -1);
        }
    }

    /// <param name="last">Looked for where nothing was typed yet.</param>
    public void Older(string last)
    {
        _isForward = false;
        if (Text.Length == 0)
        {
            Text = last;
        }

        Step(-1);
    }

    public void Newer()
    {
        _isForward = true;
        Step(1);
    }

    private void Step(int by)
    {
        if (Text.Length > 0)
        {
            Look(_at + by, by);
        }
    }

    private void Look(int from, int by)
    {
        string? known = Found;
        for (int at = from; at >= 0 && at < lines.Count; at += by)
        {
            if (lines[at].Contains(Text, StringComparison.OrdinalIgnoreCase) && (at == _at || lines[at] != known))
            {
                (_at, _isFailing) = (at, false);
                return;
            }
        }

        _isFailing = true;
    }
}
