using System.Globalization;
using System.Text;

namespace Soak.Planning;

/// <summary>A program that prints numbered lines in blocks with a pause after each, and one line to standard error with each block.</summary>
/// <param name="Tag">Stands in every line, and as an argument of the program: by it its processes are found.</param>
internal sealed record NumberedLines(string Tag, int Blocks, int LinesOfBlock, TimeSpan Pause)
{
    // What the shell itself says to standard error, such as "Terminated", is none of the lines.
    private const string Script =
        "exec 3>&2 2>/dev/null; i=0; while [ $i -lt $1 ]; do seq -f \"$0 line %.0f\" $((i*$2+1)) $(((i+1)*$2)); i=$((i+1)); echo \"$0 block $i\" >&3; sleep $3; done";

    private readonly Lazy<(byte[] Stdout, byte[] Stderr)> _expected = new(() => Expect(Tag, Blocks, LinesOfBlock));

    public byte[] Stdout => _expected.Value.Stdout;

    public byte[] Stderr => _expected.Value.Stderr;

    public TimeSpan Takes => Blocks * Pause;

    public string[] Words =>
    [
        "sh", "-c", Script, Tag,
        Blocks.ToString(CultureInfo.InvariantCulture),
        LinesOfBlock.ToString(CultureInfo.InvariantCulture),
        Pause.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture),
    ];

    public byte[] Expected(string stream) => stream == "stderr" ? Stderr : Stdout;

    public bool Equals(NumberedLines? other) => other is not null && (Tag, Blocks, LinesOfBlock, Pause) == (other.Tag, other.Blocks, other.LinesOfBlock, other.Pause);

    public override int GetHashCode() => HashCode.Combine(Tag, Blocks, LinesOfBlock, Pause);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Tag} {Blocks} x {LinesOfBlock} lines, {Takes.TotalSeconds:0.0} s");

    private static (byte[] Stdout, byte[] Stderr) Expect(string tag, int blocks, int linesOfBlock)
    {
        var lines = new StringBuilder();
        for (int i = 1; i <= blocks * linesOfBlock; i++)
        {
            lines.Append(CultureInfo.InvariantCulture, $"{tag} line {i}\n");
        }

        var errors = new StringBuilder();
        for (int i = 1; i <= blocks; i++)
        {
            errors.Append(CultureInfo.InvariantCulture, $"{tag} block {i}\n");
        }

        return (Encoding.ASCII.GetBytes(lines.ToString()), Encoding.ASCII.GetBytes(errors.ToString()));
    }
}
