using System.Net;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Protocol.Tests.Gateways;

/// <summary>The answers are those of miniupnpd 2.3.1 (Debian) to the requests beside them.</summary>
public sealed class NatPmpTests
{
    private static readonly byte[] Address = Convert.FromHexString("008000000000e19c01020301");
    private static readonly byte[] Mapping = Convert.FromHexString("008100000000e19c1234123400000e10");

    [Fact]
    public void Requests_have_the_bytes_of_RFC_6886()
    {
        Assert.Equal("0000", Convert.ToHexStringLower(NatPmp.AddressRequest()));
        Assert.Equal("000100001234123400000e10", Convert.ToHexStringLower(NatPmp.MapRequest(0x1234, 0x1234, 3600)));
        Assert.Equal("000100001234000000000000", Convert.ToHexStringLower(NatPmp.MapRequest(0x1234, 0, 0)));
    }

    [Fact]
    public void Answers_of_a_router_are_read()
    {
        Assert.True(NatPmp.TryReadAddress(Address, out NatPmpAddress address));
        Assert.Equal(new NatPmpAddress(0, 57756, IPAddress.Parse("1.2.3.1")), address);
        Assert.True(NatPmp.TryReadMapping(Mapping, out NatPmpMapping mapping));
        Assert.Equal(new NatPmpMapping(0, 57756, 0x1234, 0x1234, 3600), mapping);
    }

    [Fact]
    public void A_refusal_may_be_the_header_alone()
    {
        Assert.True(NatPmp.TryReadMapping(Convert.FromHexString("008100020000e19c"), out NatPmpMapping mapping));
        Assert.Equal(2, mapping.Result);
        Assert.True(NatPmp.TryReadAddress(Convert.FromHexString("008000030000e19c00000000"), out NatPmpAddress address));
        Assert.Equal((3, IPAddress.Any), (address.Result, address.External));
    }

    [Fact]
    public void Success_has_its_exact_length()
    {
        for (int length = 0; length < Mapping.Length; length++)
        {
            Assert.False(NatPmp.TryReadMapping(Mapping.AsSpan(0, length), out _), $"{length} bytes");
        }

        Assert.False(NatPmp.TryReadMapping([.. Mapping, 0], out _));
        Assert.False(NatPmp.TryReadMapping(Address, out _));
        Assert.False(NatPmp.TryReadAddress(Mapping, out _));
    }

    [Fact]
    public void Damaged_answers_never_throw()
    {
        foreach (byte[] damaged in Damage.Of(Mapping).Concat(Damage.Of(Address)))
        {
            NatPmp.TryReadMapping(damaged, out _);
            NatPmp.TryReadAddress(damaged, out _);
        }
    }
}
