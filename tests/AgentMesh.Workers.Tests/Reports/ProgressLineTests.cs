using System.Text;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Reports;

namespace AgentMesh.Workers.Tests.Reports;

public sealed class ProgressLineTests
{
    [Theory]
    [InlineData("42% epoch 3", 0.42, "epoch 3")]
    [InlineData("42.5%", 0.425, "")]
    [InlineData("3/12 epoch 3", 0.25, "epoch 3")]
    [InlineData("0.5 half way", 0.5, "half way")]
    [InlineData("1", 1.0, "")]
    [InlineData("100%", 1.0, "")]
    [InlineData("250% more than all", 1.0, "more than all")]
    [InlineData("loading the data", null, "loading the data")]
    [InlineData("7/0 nothing", null, "7/0 nothing")]
    [InlineData("9/7 too much", null, "9/7 too much")]
    [InlineData("-5% less than nothing", null, "-5% less than nothing")]
    [InlineData("42 the answer", null, "42 the answer")]
    [InlineData("1e3% no", null, "1e3% no")]
    [InlineData("", null, "")]
    public void Reads_a_fraction_and_words(string line, double? fraction, string text) =>
        Assert.Equal(new Progress(fraction, text), ProgressLine.Read(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void Bounds_what_it_keeps_and_what_it_shows()
    {
        Progress read = ProgressLine.Read(Encoding.UTF8.GetBytes("5% \u001b[31mred\a\t" + new string('x', 5000)));
        Assert.Equal(0.05, read.Fraction);
        Assert.InRange(read.Text.Length, 100, Progress.TextLengthMax);
        Assert.DoesNotContain(read.Text, char.IsControl);
    }
}
