using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

public sealed class JoinRequestTests
{
    [Theory]
    [InlineData("agentmesh://pair?v=1")]
    [InlineData("pair?v=1&k=a")]
    [InlineData("k=a")]
    public void What_looks_like_a_part_of_a_link_is_complained_about_as_a_link(string text) => Assert.Equal(new JoinRequest(Link: text), PairingVerbs.RequestOf(text));

    [Theory]
    [InlineData("AMBER-WALNUT-4821")]
    [InlineData("amber walnut 4821")]
    [InlineData("nonsense")]
    public void Everything_else_is_a_code(string text) => Assert.Equal(new JoinRequest(Code: text, At: "box"), PairingVerbs.RequestOf(text, at: "box"));
}
