using System.Net;
using System.Net.NetworkInformation;
using AgentMesh.Node.Links;

namespace AgentMesh.Node.Tests.Links;

public sealed class InterfaceOrderTests
{
    [Fact]
    public void Networks_that_lead_out_come_first_and_bridges_of_containers_last()
    {
        Assert.Equal(
            ["192.168.1.2:1", "10.0.0.2:1", "10.8.0.2:1", "100.64.0.9:1", "172.17.0.1:1", "127.0.0.1:1"],
            Sorted(
                At("lo", "127.0.0.1", NetworkInterfaceType.Loopback), At("docker0", "172.17.0.1"), At("tun0", "10.8.0.2"), At("eth1", "10.0.0.2"),
                At("utun3", "100.64.0.9", NetworkInterfaceType.Tunnel), At("eth0", "192.168.1.2", leadsOut: true)));
    }

    [Fact]
    public void Many_addresses_of_one_interface_do_not_push_out_the_next_one()
    {
        InterfaceAddress[] many = [.. Enumerable.Range(1, 20).Select(host => At("eth0", $"2001:db8::{host}", leadsOut: true))];

        Assert.Equal(4, Sorted([.. many, At("wlan0", "192.168.1.2", leadsOut: true)]).ToList().IndexOf("192.168.1.2:1"));
    }

    [Fact]
    public void Without_a_reason_the_order_of_the_system_stays() => Assert.Equal(["10.0.0.9:1", "10.0.0.2:1"], Sorted(At("eth0", "10.0.0.9"), At("eth1", "10.0.0.2")));

    private static IEnumerable<string> Sorted(params InterfaceAddress[] addresses) => InterfaceOrder.Sort(addresses).Select(address => address.ToString().Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal));

    private static InterfaceAddress At(string name, string address, NetworkInterfaceType type = NetworkInterfaceType.Ethernet, bool leadsOut = false) =>
        new(name, type, leadsOut, new IPEndPoint(IPAddress.Parse(address), 1));
}
