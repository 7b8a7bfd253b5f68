using System.Net;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Protocol.Tests.Gateways;

public sealed class RouteAndAddressTests
{
    private const string Header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";

    [Fact]
    public void The_default_route_with_the_lowest_metric_is_the_gateway()
    {
        (string Interface, IPAddress Gateway)? found = ProcNetRoute.DefaultGateway(
        [
            Header,
            "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
            "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
            "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
        ]);

        Assert.Equal(("eth0", IPAddress.Parse("192.0.2.1")), found);
    }

    [Theory]
    [InlineData("tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0")]
    [InlineData("eth0\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0")]
    [InlineData("eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0")]
    [InlineData("eth0\tzz\tzz\t0003\t0\t0\t0\t00000000\t0\t0\t0")]
    [InlineData("eth0\t00000000")]
    [InlineData("")]
    public void Without_an_IPv4_gateway_there_is_none(string line) => Assert.Null(ProcNetRoute.DefaultGateway([Header, line]));

    [Theory]
    [InlineData("1.2.3.1", GatewayAddressKind.Public)]
    [InlineData("100.63.255.255", GatewayAddressKind.Public)]
    [InlineData("100.64.0.1", GatewayAddressKind.Shared)]
    [InlineData("100.127.255.254", GatewayAddressKind.Shared)]
    [InlineData("100.128.0.1", GatewayAddressKind.Public)]
    [InlineData("10.0.0.1", GatewayAddressKind.Private)]
    [InlineData("172.15.0.1", GatewayAddressKind.Public)]
    [InlineData("172.31.0.1", GatewayAddressKind.Private)]
    [InlineData("192.168.0.1", GatewayAddressKind.Private)]
    [InlineData("169.254.1.1", GatewayAddressKind.Private)]
    [InlineData("fd00::1", GatewayAddressKind.Private)]
    [InlineData("2001:db8::1", GatewayAddressKind.Public)]
    public void Who_can_reach_an_address_is_told(string address, GatewayAddressKind kind) => Assert.Equal(kind, GatewayAddresses.KindOf(IPAddress.Parse(address)));

    [Theory]
    [InlineData("0.0.0.0", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("10.0.0.1", true)]
    public void Not_every_address_is_one_of_a_device(string address, bool isUsable) => Assert.Equal(isUsable, GatewayAddresses.IsUsable(IPAddress.Parse(address)));
}
