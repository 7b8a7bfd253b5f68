using System.Text;

namespace AgentMesh.Workers.Plugins;

/// <summary>Lines of at most <paramref name="charsMax"/> characters: a program that never ends its line must not fill the memory.</summary>
internal sealed class BoundedLineReader(TextReader reader, int charsMax)
{
    private readonly char[] _buffer = new char[4096];
    private readonly StringBuilder _line = new();
    private int _at;
    private int _filled;

    /// <returns>Null at the end and at a line that is too long.</returns>
    public async ValueTask<string?> ReadAsync()
    {
        while (true)
        {
            int end = _buffer.AsSpan(_at, _filled - _at).IndexOf('\n');
            if (end >= 0)
            {
                string line = _line.Append(_buffer, _at, end).ToString();
                _line.Clear();
                _at += end + 1;
                return line;
            }

            _line.Append(_buffer, _at, _filled - _at);
            if (_line.Length > charsMax)
            {
                return null;
            }

            _at = 0;
            _filled = await reader.ReadAsync(_buffer).ConfigureAwait(false);
            if (_filled == 0)
            {
                return null;
            }
        }
    }
}
