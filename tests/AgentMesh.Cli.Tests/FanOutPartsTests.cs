using System.Text;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Repl;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

public sealed class FanOutPartsTests
{
    [Fact]
    public void Lines_of_several_devices_never_mix_and_a_cut_character_stays_whole()
    {
        using StringWriter output = new(), error = new();
        var lines = new PrefixedLines(output, error);
        byte[] umlaut = Encoding.UTF8.GetBytes("ä\n");

        lines.Write("a", false, "one "u8);
        lines.Write("b", false, "first\nsec"u8);
        lines.Write("a", false, "two\n"u8);
        lines.Write("b", true, "oh\n"u8);
        lines.Write("a", false, umlaut.AsSpan(0, 1));
        lines.Write("a", false, umlaut.AsSpan(1));
        lines.End("b");
        lines.End("b");

        Assert.Equal($"b: first\na: one two\na: ä\nb: sec{Environment.NewLine}", output.ToString());
        Assert.Equal("b: oh\n", error.ToString());
    }

    [Fact]
    public void A_line_without_end_is_written_in_pieces()
    {
        using StringWriter output = new(), error = new();
        var lines = new PrefixedLines(output, error);
        lines.Write("a", false, Encoding.UTF8.GetBytes(new string('x', 70_000)));
        Assert.Equal(70_000, output.ToString().Count(c => c == 'x'));
    }

    [Theory]
    [InlineData("@", "@laptop @gpu @all @label:fast @any(fast)")]
    [InlineData("@laptop,", "@laptop,laptop @laptop,gpu @laptop,all @laptop,label:fast @laptop,any(fast)")]
    [InlineData("@laptop,@g", "@laptop,@laptop @laptop,@gpu @laptop,@all @laptop,@label:fast @laptop,@any(fast)")]
    public void Completion_knows_devices_labels_and_lists(string word, string candidates) =>
        Assert.Equal(candidates.Split(' '), Completion.Selectors(word, [Peer(0, "laptop"), Peer(1, "gpu", "fast"), Peer(2, "gpu", "Fast")]).Distinct());

    private static PeerView Peer(int index, string name, params string[] labels) =>
        new(index, name, "", index == 0, "connected", null, null, null, null, null, null, null, null, true, [], [], null, labels);
}
