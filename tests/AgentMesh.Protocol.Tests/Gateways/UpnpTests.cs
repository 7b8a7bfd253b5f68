using System.Net;
using System.Text;
using AgentMesh.Protocol.Gateways.Upnp;

namespace AgentMesh.Protocol.Tests.Gateways;

/// <summary>The shapes are those of miniupnpd 2.3.1 (Debian), shortened.</summary>
public sealed class UpnpTests
{
    private const string Answer =
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
        + "USN: uuid:1111::urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nEXT:\r\nSERVER: Debian UPnP/1.1 MiniUPnPd/2.3.1\r\n"
        + "LOCATION: http://192.168.9.1:37037/rootDesc.xml\r\nBOOTID.UPNP.ORG: 1795283081\r\n\r\n";

    private const string Description = """
        <?xml version="1.0"?>
        <root xmlns="urn:schemas-upnp-org:device-1-0" configId="1337"><specVersion><major>1</major><minor>1</minor></specVersion><device>
        <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType><friendlyName>Debian router</friendlyName>
        <serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/ctl/L3F</controlURL></service></serviceList>
        <deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:2</deviceType>
        <serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType><SCPDURL>/WANIPCn.xml</SCPDURL><controlURL>/ctl/IPConn</controlURL></service>
        <service><serviceType>urn:schemas-upnp-org:service:WANIPv6FirewallControl:1</serviceType><controlURL>/ctl/IP6FCtl</controlURL></service></serviceList>
        </device></deviceList></device></root>
        """;

    private static readonly IPAddress Gateway = IPAddress.Parse("192.168.9.1");
    private static readonly Uri Location = new("http://192.168.9.1:37037/rootDesc.xml");
    private static readonly string Service = "urn:schemas-upnp-org:service:WANIPConnection:2";

    [Fact]
    public void A_gateway_that_answers_the_search_is_found()
    {
        Assert.True(Ssdp.TryRead(Bytes(Answer), Gateway, out Uri? location));
        Assert.Equal(Location, location);
    }

    [Theory]
    [InlineData("http://192.168.9.1:37037/rootDesc.xml", "http://192.168.9.7:37037/rootDesc.xml")]
    [InlineData("http://192.168.9.1:37037/rootDesc.xml", "https://192.168.9.1:37037/rootDesc.xml")]
    [InlineData("http://192.168.9.1:37037/rootDesc.xml", "http://user@192.168.9.1:37037/rootDesc.xml")]
    [InlineData("http://192.168.9.1:37037/rootDesc.xml", "http://router.example/rootDesc.xml")]
    [InlineData("http://192.168.9.1:37037/rootDesc.xml", "file:///etc/passwd")]
    [InlineData("InternetGatewayDevice:1\r\nUSN", "Printer:1\r\nUSN")]
    [InlineData("HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found")]
    [InlineData("HTTP/1.1 200 OK", "NOTIFY * HTTP/1.1")]
    [InlineData("LOCATION", "PLACE")]
    public void Answers_that_name_something_else_are_dropped(string right, string wrong)
    {
        Assert.Contains(right, Answer, StringComparison.Ordinal);
        Assert.False(Ssdp.TryRead(Bytes(Answer.Replace(right, wrong, StringComparison.Ordinal)), Gateway, out _));
    }

    [Fact]
    public void Endless_answers_are_dropped()
    {
        Assert.False(Ssdp.TryRead(Bytes(Answer.Replace("EXT:", string.Concat(Enumerable.Repeat("X: y\r\n", 40)) + "EXT:", StringComparison.Ordinal)), Gateway, out _));
        Assert.False(Ssdp.TryRead(Bytes(Answer + new string('x', Ssdp.DatagramBytesMax)), Gateway, out _));
    }

    [Fact]
    public void Damaged_answers_never_throw()
    {
        foreach (byte[] damaged in Damage.Of(Bytes(Answer)))
        {
            Ssdp.TryRead(damaged, Gateway, out _);
        }
    }

    [Fact]
    public void The_service_that_maps_ports_is_found()
    {
        Assert.True(IgdDescription.TryRead(Bytes(Description), Location, Gateway, out IgdService? service));
        Assert.Equal(new IgdService(Service, new Uri("http://192.168.9.1:37037/ctl/IPConn")), service);
        Assert.True(service.HasAddAny);
    }

    [Fact]
    public void The_newest_version_of_several_is_taken()
    {
        string both = Description.Replace("Layer3Forwarding:1", "WANIPConnection:1", StringComparison.Ordinal);

        Assert.True(IgdDescription.TryRead(Bytes(both), Location, Gateway, out IgdService? service));
        Assert.Equal(Service, service.Type);
        Assert.True(IgdDescription.TryRead(Bytes(both.Replace("WANIPConnection:2", "Nothing:2", StringComparison.Ordinal)), Location, Gateway, out service));
        Assert.Equal("/ctl/L3F", service.Control.AbsolutePath);
        Assert.False(service.HasAddAny);
    }

    [Theory]
    [InlineData("http://192.168.9.1:5000/x", "http://192.168.9.1:5000/x")]
    [InlineData("ctl", "http://192.168.9.1:37037/ctl")]
    [InlineData("http://203.0.113.9/ctl/IPConn", null)]
    [InlineData("//203.0.113.9/ctl/IPConn", null)]
    [InlineData("https://192.168.9.1/ctl/IPConn", null)]
    [InlineData("http://192.168.9.1@203.0.113.9/", null)]
    [InlineData("file:///ctl/IPConn", null)]
    [InlineData("", null)]
    public void Calls_go_to_the_host_that_answered_and_nowhere_else(string control, string? expected)
    {
        bool isRead = IgdDescription.TryRead(Bytes(Description.Replace("/ctl/IPConn", control, StringComparison.Ordinal)), Location, Gateway, out IgdService? service);

        Assert.Equal(expected, isRead ? service!.Control.ToString() : null);
    }

    [Fact]
    public void A_base_address_on_another_host_is_passed_over()
    {
        string elsewhere = Description.Replace("<device>\n", "<URLBase>http://203.0.113.9/</URLBase><device>\n", StringComparison.Ordinal);

        Assert.True(IgdDescription.TryRead(Bytes(elsewhere), Location, Gateway, out IgdService? service));
        Assert.Equal("192.168.9.1", service.Control.Host);
    }

    [Fact]
    public void Document_types_and_entities_are_refused()
    {
        string bomb = Description.Replace("<root", "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><root", StringComparison.Ordinal).Replace("/ctl/IPConn", "&b;", StringComparison.Ordinal);
        string outside = Description.Replace("<root", "<!DOCTYPE r SYSTEM \"http://203.0.113.9/x.dtd\"><root", StringComparison.Ordinal);

        Assert.False(IgdDescription.TryRead(Bytes(bomb), Location, Gateway, out _));
        Assert.False(IgdDescription.TryRead(Bytes(outside), Location, Gateway, out _));
    }

    [Fact]
    public void Endless_and_deep_descriptions_are_refused()
    {
        string wide = Description.Replace("<device>\n", $"<device>{new string(' ', 300 * 1024)}\n", StringComparison.Ordinal);
        string deep = string.Concat(Enumerable.Repeat("<a>", 100)) + string.Concat(Enumerable.Repeat("</a>", 100));

        Assert.False(IgdDescription.TryRead(Bytes(wide), Location, Gateway, out _));
        Assert.False(IgdDescription.TryRead(Bytes(Description.Replace("<friendlyName>", deep + "<friendlyName>", StringComparison.Ordinal)), Location, Gateway, out _));
    }

    [Fact]
    public void Damaged_descriptions_never_throw()
    {
        foreach (byte[] damaged in Damage.Of(Bytes(Description)).Where((_, i) => i % 7 == 0))
        {
            IgdDescription.TryRead(damaged, Location, Gateway, out _);
        }
    }

    [Fact]
    public void A_call_is_written_as_routers_read_it()
    {
        string body = Encoding.UTF8.GetString(SoapCall.AddMapping(any: true, 14590, 14590, "192.168.9.2", 7200, "a & b").Body(Service));

        Assert.Contains("<u:AddAnyPortMapping xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:2\"><NewRemoteHost></NewRemoteHost><NewExternalPort>14590</NewExternalPort><NewProtocol>UDP</NewProtocol>", body, StringComparison.Ordinal);
        Assert.Contains("<NewPortMappingDescription>a &amp; b</NewPortMappingDescription><NewLeaseDuration>7200</NewLeaseDuration></u:AddAnyPortMapping>", body, StringComparison.Ordinal);
        Assert.Equal("\"urn:schemas-upnp-org:service:WANIPConnection:2#GetExternalIPAddress\"", SoapCall.GetExternalIpAddress.Header(Service));
    }

    [Fact]
    public void Answers_and_faults_are_read()
    {
        const string address = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:GetExternalIPAddressResponse xmlns:u=\"urn:x\"><NewExternalIPAddress>1.2.3.1</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>";
        const string fault = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>718</errorCode><errorDescription>Conflict&#27;[31m</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>";

        Assert.True(SoapCall.GetExternalIpAddress.TryRead(Bytes(address), out SoapAnswer answer));
        Assert.Equal((0, "1.2.3.1"), (answer.Error, answer.Values["NewExternalIPAddress"]));
        Assert.False(SoapCall.GetMapping(1).TryRead(Bytes(address), out _));
        Assert.False(SoapCall.GetExternalIpAddress.TryRead(Bytes(fault), out _));
        Assert.True(SoapCall.GetExternalIpAddress.TryRead(Bytes(fault.Replace("&#27;", "?", StringComparison.Ordinal)), out answer));
        Assert.Equal(SoapAnswer.Conflict, answer.Error);
        foreach (byte[] damaged in Damage.Of(Bytes(address)).Concat(Damage.Of(Bytes(fault))).Where((_, i) => i % 3 == 0))
        {
            SoapCall.GetExternalIpAddress.TryRead(damaged, out _);
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
