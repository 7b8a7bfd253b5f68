using System.Net;
using System.Text;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Protocol.Tests.Gateways;

/// <summary>The answers are those of miniupnpd 2.3.1 (Debian) to the requests beside them.</summary>
public sealed class PcpTests
{
    private static readonly IPAddress Client = IPAddress.Parse("192.168.9.2");
    private static readonly byte[] Nonce = Encoding.ASCII.GetBytes("abcdefghijkl");
    private static readonly byte[] Announce = Convert.FromHexString("02800000000000000000e19c000000000000000000000000");

    private static readonly byte[] Mapping = Convert.FromHexString(
        "0281000000000e100000e19c000000000000000000000000" + "6162636465666768696a6b6c" + "11000000" + "13881388" + "00000000000000000000ffff01020301");

    [Fact]
    public void Requests_have_the_bytes_of_RFC_6887()
    {
        Assert.Equal("0200000000000000" + "00000000000000000000ffffc0a80902", Convert.ToHexStringLower(Pcp.AnnounceRequest(Client)));
        Assert.Equal(
            "0201000000000e10" + "00000000000000000000ffffc0a80902" + "6162636465666768696a6b6c" + "11000000" + "13881388" + "00000000000000000000ffff00000000",
            Convert.ToHexStringLower(Pcp.MapRequest(Client, Nonce, 5000, new IPEndPoint(IPAddress.Any, 5000), 3600)));
    }

    [Fact]
    public void Answers_of_a_router_are_read()
    {
        Assert.True(Pcp.TryReadAnnounce(Announce, out PcpHeader header));
        Assert.Equal(new PcpHeader(0, 0, 57756), header);
        Assert.True(Pcp.TryReadMapping(Mapping, Nonce, out PcpMapping mapping));
        Assert.Equal(new PcpMapping(new PcpHeader(0, 3600, 57756), 5000, IPEndPoint.Parse("1.2.3.1:5000")), mapping);
    }

    [Fact]
    public void Options_behind_an_answer_are_passed_over()
    {
        Assert.True(Pcp.TryReadMapping([.. Mapping, 2, 0, 0, 0], Nonce, out _));
        Assert.False(Pcp.TryReadMapping([.. Mapping, 2], Nonce, out _));
        Assert.False(Pcp.TryReadMapping([.. Mapping, .. new byte[Pcp.DatagramBytesMax]], Nonce, out _));
    }

    [Fact]
    public void An_answer_with_another_nonce_or_protocol_is_none()
    {
        Assert.False(Pcp.TryReadMapping(Mapping, Encoding.ASCII.GetBytes("abcdefghijkL"), out _));
        byte[] tcp = [.. Mapping];
        tcp[36] = 6;
        Assert.False(Pcp.TryReadMapping(tcp, Nonce, out _));
        Assert.False(Pcp.TryReadMapping(Announce, Nonce, out _));
    }

    [Fact]
    public void A_router_that_speaks_NAT_PMP_only_is_recognised()
    {
        Assert.True(Pcp.IsUnsupportedVersion(Convert.FromHexString("008000010000e19c")));
        Assert.True(Pcp.IsUnsupportedVersion(Convert.FromHexString("01810001")));
        Assert.False(Pcp.IsUnsupportedVersion(Mapping));
        Assert.False(Pcp.IsUnsupportedVersion(Convert.FromHexString("000000010000")));
    }

    [Fact]
    public void Damaged_answers_never_throw_and_shorter_ones_are_none()
    {
        for (int length = 0; length < Mapping.Length; length++)
        {
            Assert.False(Pcp.TryReadMapping(Mapping.AsSpan(0, length), Nonce, out _), $"{length} bytes");
        }

        foreach (byte[] damaged in Damage.Of(Mapping).Concat(Damage.Of(Announce)))
        {
            Pcp.TryReadMapping(damaged, Nonce, out _);
            Pcp.TryReadAnnounce(damaged, out _);
            Pcp.IsUnsupportedVersion(damaged);
        }
    }
}
