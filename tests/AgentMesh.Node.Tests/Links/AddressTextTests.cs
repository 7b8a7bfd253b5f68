using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Node.Tests.Links;

public sealed class AddressTextTests
{
    [Fact]
    public void Addresses_that_stand_for_something_of_this_device_are_not_taken_from_others()
    {
        IPEndPoint honest = IPEndPoint.Parse("203.0.113.1:5000");
        string[] said = [honest.ToString(), RelayAddress.Of(5).ToString(), TunnelAddress.Of(1).ToString(), SpareAddress.Of(3, honest).ToString(), "0.0.0.0:5", "203.0.113.1:0"];

        Assert.Equal([honest], AddressText.ParseAll(said, 32));
    }
}
