using System.Text;
using AgentMesh.Cli.Interactive;

namespace AgentMesh.Cli.Tests;

public sealed class EscapeKeysTests
{
    [Theory]
    [InlineData("ls\r", "ls\r", false)]
    [InlineData("~.", "", true)]
    [InlineData("a~.", "a~.", false)]
    [InlineData("a\r~.", "a\r", true)]
    [InlineData("~~.", "~.", false)]
    [InlineData("~x", "~x", false)]
    [InlineData("\r~\r~.", "\r~\r", true)]
    public void Only_a_tilde_and_a_dot_at_the_beginning_of_a_line_lead_out(string typed, string passed, bool leaves)
    {
        foreach (int piece in (int[])[1, typed.Length])
        {
            var keys = new EscapeKeys();
            var got = new List<byte>();
            foreach (char[] part in typed.Chunk(piece))
            {
                got.AddRange(keys.Pass(Encoding.ASCII.GetBytes(part)));
            }

            Assert.Equal((passed, leaves), (Encoding.ASCII.GetString([.. got]), keys.IsLeaving));
        }
    }

    [Theory]
    [InlineData("ls\u0010\u0011x", "ls", true)]
    [InlineData("\u0010ls", "\u0010ls", false)]
    [InlineData("\u0010\u0010\u0011", "\u0010", true)]
    [InlineData("\u0011\u0010", "\u0011", false)]
    [InlineData("\u0010~.", "\u0010~.", false)]
    public void Ctrl_P_and_then_Ctrl_Q_detach(string typed, string passed, bool detaches)
    {
        foreach (int piece in (int[])[1, typed.Length])
        {
            var keys = new EscapeKeys();
            var got = new List<byte>();
            foreach (char[] part in typed.Chunk(piece))
            {
                if (!keys.IsDetaching)
                {
                    got.AddRange(keys.Pass(Encoding.ASCII.GetBytes(part)));
                }
            }

            Assert.Equal((passed, detaches, false), (Encoding.ASCII.GetString([.. got]), keys.IsDetaching, keys.IsLeaving));
        }
    }

    [Fact]
    public void A_Ctrl_P_that_stays_alone_is_the_programs()
    {
        var keys = new EscapeKeys();
        Assert.Empty(keys.Pass([0x10]));
        Assert.True(keys.IsWaiting);
        Assert.Equal([0x10], keys.Release());
        Assert.Equal([0x11], keys.Pass([0x11]));
        Assert.False(keys.IsDetaching);
    }
}
