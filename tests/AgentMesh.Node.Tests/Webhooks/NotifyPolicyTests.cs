using System.Net;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Node.Webhooks;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Tests.Webhooks;

public sealed class NotifyPolicyTests
{
    [Theory]
    [InlineData("192.0.2.1", "Public")]
    [InlineData("8.8.8.8", "Public")]
    [InlineData("2606:4700::1111", "Public")]
    [InlineData("127.0.0.1", "Private")]
    [InlineData("127.255.1.2", "Private")]
    [InlineData("10.1.2.3", "Private")]
    [InlineData("172.16.0.1", "Private")]
    [InlineData("172.32.0.1", "Public")]
    [InlineData("192.168.7.1", "Private")]
    [InlineData("100.64.0.1", "Private")]
    [InlineData("100.128.0.1", "Public")]
    [InlineData("::1", "Private")]
    [InlineData("fd12:3456::1", "Private")]
    [InlineData("fe80::1", "Link")]
    [InlineData("169.254.169.254", "Link")]
    [InlineData("100.100.100.200", "Link")]
    [InlineData("168.63.129.16", "Link")]
    [InlineData("fd00:ec2::254", "Link")]
    [InlineData("0.0.0.0", "Nobody")]
    [InlineData("::", "Nobody")]
    [InlineData("224.0.0.1", "Nobody")]
    [InlineData("255.255.255.255", "Nobody")]
    [InlineData("ff02::1", "Nobody")]
    [InlineData("2001:0:1::1", "Nobody")]
    [InlineData("::ffff:127.0.0.1", "Private")]
    [InlineData("::ffff:169.254.169.254", "Link")]
    [InlineData("64:ff9b::169.254.169.254", "Link")]
    [InlineData("64:ff9b::10.0.0.1", "Private")]
    [InlineData("2002:7f00:1::", "Private")]
    [InlineData("2002:c000:201::", "Public")]
    public void An_address_is_taken_for_what_it_reaches(string address, string scope) => Assert.Equal(scope, AddressScopes.Of(IPAddress.Parse(address)).ToString());

    [Theory]
    [InlineData("*")]
    [InlineData("*:443")]
    [InlineData("example.org")]
    [InlineData("*.example.org:8443")]
    [InlineData("192.168.1.7")]
    [InlineData("192.168.1.0/24")]
    [InlineData("10.0.0.0/8:8080")]
    [InlineData("[::1]:9000")]
    [InlineData("fd00::/8")]
    [InlineData("localhost")]
    public void These_are_entries(string text) => Assert.True(NotifyAllow.TryParse(text, out _));

    [Theory]
    [InlineData("")]
    [InlineData("https://example.org")]
    [InlineData("example.org:0")]
    [InlineData("example.org:65536")]
    [InlineData("exam*ple.org")]
    [InlineData("*.")]
    [InlineData("10.0.0.0/33")]
    [InlineData("a b")]
    public void These_are_none(string text) => Assert.False(NotifyAllow.TryParse(text, out _));

    // What is certain when a schedule is added, without a look at the name.
    [Theory]
    [InlineData("*", "https://example.org/", true)]
    [InlineData("*", "http://example.org/", false)]
    [InlineData("*", "https://127.0.0.1/", false)]
    [InlineData("*", "https://2130706433/", false)]
    [InlineData("*", "https://0x7f.1/", false)]
    [InlineData("*", "https://[::1]/", false)]
    [InlineData("*", "https://[::ffff:127.0.0.1]/", false)]
    [InlineData("*", "https://localhost/", false)]
    [InlineData("*", "https://a.localhost./", false)]
    [InlineData("*", "http://169.254.169.254/latest/meta-data/", false)]
    [InlineData("", "https://example.org/", false)]
    [InlineData("*:443", "https://example.org:8443/", false)]
    [InlineData("example.org", "https://example.org/", true)]
    [InlineData("example.org", "https://EXAMPLE.org/", true)]
    [InlineData("example.org", "https://a.example.org/", false)]
    [InlineData("*.example.org", "https://a.b.example.org/", true)]
    [InlineData("*.example.org", "https://example.org/", false)]
    [InlineData("*.example.org", "https://badexample.org/", false)]
    [InlineData("nas.lan", "http://nas.lan:8080/", true)]
    [InlineData("192.168.0.0/16", "http://nas.lan/", true)]
    [InlineData("192.168.0.0/16", "http://192.168.3.4/", true)]
    [InlineData("192.168.0.0/16", "http://10.3.4.5/", false)]
    [InlineData("127.0.0.1:9000", "http://127.0.0.1:9000/", true)]
    [InlineData("127.0.0.1:9000", "http://localhost:9000/", true)]
    [InlineData("127.0.0.1:9000", "http://127.0.0.1:22/", false)]
    [InlineData("localhost", "http://localhost:9000/", true)]
    [InlineData("[::1]:9000", "http://[::1]:9000/", true)]
    public void A_url_is_refused_when_nothing_it_could_mean_is_allowed(string allow, string url, bool allowed) => Holds(allowed, () => Policy(allow).Check(new Uri(url)));

    // At each attempt, for the address to which the name led.
    [Theory]
    [InlineData("*", "https://example.org/", "192.0.2.1", true)]
    [InlineData("*", "https://example.org/", "10.0.0.1", false)]
    [InlineData("*", "https://example.org/", "127.0.0.1", false)]
    [InlineData("*", "https://example.org/", "169.254.169.254", false)]
    [InlineData("example.org", "https://example.org/", "10.0.0.1", true)]
    [InlineData("example.org", "https://example.org/", "169.254.169.254", false)]
    [InlineData("*.example.org", "https://a.example.org/", "fd00::1", true)]
    [InlineData("169.254.169.254", "http://meta.lan/", "169.254.169.254", true)]
    [InlineData("10.0.0.0/8", "https://example.org/", "192.0.2.1", false)]
    [InlineData("192.0.2.0/24", "http://example.org/", "192.0.2.1", false)]
    [InlineData("example.org", "http://example.org/", "192.0.2.1", false)]
    [InlineData("example.org", "http://example.org/", "192.168.0.1", true)]
    [InlineData("0.0.0.0/0", "https://example.org/", "0.0.0.0", false)]
    [InlineData("10.0.0.0/8", "http://example.org/", "::ffff:10.0.0.1", true)]
    public void The_address_of_each_attempt_counts(string allow, string url, string address, bool allowed) => Holds(allowed, () => Policy(allow).Check(new Uri(url), IPAddress.Parse(address)));

    [Fact]
    public void Without_tls_over_the_internet_only_where_the_owner_says_so()
    {
        var policy = new NotifyPolicy(new CronNotifySettings(["*"], PlainHttp: true, ""));
        policy.Check(new Uri("http://example.org/"));
        policy.Check(new Uri("http://example.org/"), IPAddress.Parse("192.0.2.1"));
        Holds(false, () => policy.Check(new Uri("http://example.org/"), IPAddress.Parse("192.168.0.1")));
    }

    private static NotifyPolicy Policy(string allow) => new(new CronNotifySettings(allow.Split(' ', StringSplitOptions.RemoveEmptyEntries), PlainHttp: false, ""));

    private static void Holds(bool allowed, Action check)
    {
        MeshException? refused = null;
        try
        {
            check();
        }
        catch (MeshException error)
        {
            refused = error;
        }

        Assert.Equal(allowed, refused is null);
        Assert.True(refused is null or { Code: MeshErrors.NotifyNotAllowed, NextStep.Length: > 0 }, refused?.Message);
    }
}
