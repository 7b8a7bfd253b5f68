using AgentMesh.Errors;
using AgentMesh.Node.Pairing;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Tests;

public sealed class JoinPlaceTests
{
    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7", 14590)]
    [InlineData("192.0.2.7:4000", "192.0.2.7", 4000)]
    [InlineData("box.example", "box.example", 14590)]
    [InlineData("box.example:4000", "box.example", 4000)]
    [InlineData("2001:db8::7", "2001:db8::7", 14590)]
    [InlineData("[2001:db8::7]", "2001:db8::7", 14590)]
    [InlineData("[2001:db8::7]:4000", "2001:db8::7", 4000)]
    public void A_place_is_a_host_with_or_without_a_port(string text, string host, int port)
    {
        Assert.True(JoinPlace.TryRead(text, out HostPort place));
        Assert.Equal(new HostPort(host, port), place);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":4000")]
    [InlineData("box:")]
    [InlineData("box:0")]
    [InlineData("box:70000")]
    [InlineData("box:port")]
    public void What_is_none_is_refused(string text) => Assert.Equal(NodeErrors.ControlRequest, Assert.Throws<MeshException>(() => JoinPlace.Resolve(text)).Code);
}
