using System.Text;

namespace AgentMesh.Cli.Output;

/// <summary>Output of several devices as it comes, whole lines only and each with the name of its device: lines of two devices never mix.</summary>
internal sealed class PrefixedLines(TextWriter output, TextWriter error)
{
    /// <summary>A line that is longer is written in pieces.</summary>
    private const int LineCharsMax = 64 * 1024;

    private readonly Dictionary<(string Target, bool IsError), Line> _lines = [];

    public void Write(string target, bool isError, ReadOnlySpan<byte> bytes)
    {
        if (!_lines.TryGetValue((target, isError), out Line? line))
        {
            _lines[(target, isError)] = line = new Line();
        }

        string text = line.Read(bytes);
        foreach (string piece in text.SplitLines())
        {
            line.Text.Append(piece);
            if (piece.EndsWith('\n') || line.Text.Length >= LineCharsMax)
            {
                Flush(target, isError, line);
            }
        }
    }

    /// <summary>The stream of a device is over: what it wrote without a line end.</summary>
    public void End(string target)
    {
        foreach (bool isError in (bool[])[false, true])
        {
            if (_lines.Remove((target, isError), out Line? line) && line.Text.Length > 0)
            {
                Flush(target, isError, line);
            }
        }
    }

    private void Flush(string target, bool isError, Line line)
    {
        TextWriter to = isError ? error : output;
        string text = line.Text.ToString();
        to.Write($"{target}: {text}{(text.EndsWith('\n') ? "" : Environment.NewLine)}");
        line.Text.Clear();
    }

    private sealed class Line
    {
        // A character may be cut in two by the borders of the pieces.
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

        public StringBuilder Text { get; } = new();

        public string Read(ReadOnlySpan<byte> bytes)
        {
            char[] chars = new char[_decoder.GetCharCount(bytes, flush: false)];
            return new string(chars, 0, _decoder.GetChars(bytes, chars, flush: false));
        }
    }
}
