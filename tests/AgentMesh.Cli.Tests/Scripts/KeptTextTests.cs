using System.Text;
using AgentMesh.Cli.Scripts;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Tests.Scripts;

public sealed class KeptTextTests
{
    [Fact]
    public void Keeps_text_and_bytes_in_their_order_without_the_last_line_end()
    {
        using var kept = new KeptText();
        kept.WriteLine("one");
        foreach (byte each in Encoding.UTF8.GetBytes("zwölf €\r\n"))
        {
            kept.Raw.Write([each]);
        }

        Assert.Equal("one" + kept.NewLine + "zwölf €", kept.Value);
    }

    [Fact]
    public void Refuses_more_than_it_keeps()
    {
        using var kept = new KeptText();
        byte[] piece = new byte[100_000];
        Assert.Equal("AM0226", Assert.Throws<MeshException>(() =>
        {
            for (int i = 0; i < 20; i++)
            {
                kept.Raw.Write(piece);
            }
        }).Code);
    }
}
