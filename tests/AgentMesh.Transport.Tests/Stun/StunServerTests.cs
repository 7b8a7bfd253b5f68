using AgentMesh.Transport.Stun;

namespace AgentMesh.Transport.Tests.Stun;

public sealed class StunServerTests
{
    [Theory]
    [InlineData("stun.example.org", "stun.example.org:3478")]
    [InlineData("stun:stun.example.org:19302", "stun.example.org:19302")]
    [InlineData("192.0.2.7", "192.0.2.7:3478")]
    [InlineData("192.0.2.7:99", "192.0.2.7:99")]
    [InlineData("2001:db8::1", "[2001:db8::1]:3478")]
    [InlineData("[2001:db8::1]:99", "[2001:db8::1]:99")]
    [InlineData("stun.example.org:0", null)]
    [InlineData("stun.example.org:70000", null)]
    [InlineData("stun.example.org:x", null)]
    [InlineData("stun example", null)]
    [InlineData("", null)]
    public void A_server_is_a_host_with_or_without_a_port(string text, string? expected) =>
        Assert.Equal(expected, StunServer.TryParse(text, out StunServer? server) ? server.ToString() : null);
}
