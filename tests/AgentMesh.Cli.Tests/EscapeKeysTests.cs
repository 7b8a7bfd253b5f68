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
}
