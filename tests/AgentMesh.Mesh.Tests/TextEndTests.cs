using System.Text;

namespace AgentMesh.Mesh.Tests;

public sealed class TextEndTests
{
    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abc", 2, "bc")]
    [InlineData("a€c", 5, "a€c")]
    [InlineData("a€c", 4, "€c")]
    [InlineData("a€c", 3, "c")]
    [InlineData("a€c", 2, "c")]
    [InlineData("", 3, "")]
    public void The_end_begins_with_a_whole_character(string text, int max, string end) => Assert.Equal(end, TextEnd.Of(Encoding.UTF8.GetBytes(text), max));

    [Fact]
    public void What_was_cut_before_it_came_too_and_what_is_no_text_stays_as_it_is()
    {
        Assert.Equal("c", TextEnd.Of([0x82, 0xAC, (byte)'c'], 100, isCut: true));
        Assert.Equal("\uFFFD\uFFFDc", TextEnd.Of([0x82, 0xAC, (byte)'c'], 100));
    }
}
