using AgentMesh.Errors;
using AgentMesh.Node.Links;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Node.Tests.Links;

public sealed class ConnectionPolicyTests
{
    private static readonly DeviceIdentity Box = DeviceIdentity.Create(SystemEntropy.Instance);
    private static readonly DeviceIdentity Phone = DeviceIdentity.Create(SystemEntropy.Instance);
    private static readonly InvitationSecret Secret = InvitationSecret.Next(SystemEntropy.Instance);

    [Theory]
    [InlineData(Incoming.All, true, true)]
    [InlineData(Incoming.Known, true, false)]
    [InlineData(Incoming.None, false, false)]
    public void Who_is_refused_is_a_stranger_to_the_handshake(Incoming incoming, bool takesKnown, bool takesInvited)
    {
        ConnectionPolicy policy = Of(incoming, true);

        Assert.Equal(takesKnown, policy.IsAdmitted(Box.PublicKey));
        Assert.False(policy.IsAdmitted(Phone.PublicKey));
        Assert.Equal(takesInvited ? InvitationStatus.Open : InvitationStatus.Unknown, policy.FindInvitation(Secret.Id, default).Status);
        Assert.Equal(takesInvited, policy.TryTakeInvitation(Secret.Id, Phone.PublicKey, default));
        Assert.Equal(takesInvited ? null : "AM0186", Record.Exception(policy.CheckInvitation) is MeshException error ? error.Code : null);
    }

    [Fact]
    public void A_change_counts_for_the_next_handshake()
    {
        ConnectionPolicy policy = Of(Incoming.None, true);
        policy.Settings = policy.Settings with { Incoming = Incoming.Known };
        Assert.True(policy.IsAdmitted(Box.PublicKey));
    }

    [Theory]
    [InlineData(true, null, true)]
    [InlineData(true, "off", false)]
    [InlineData(false, null, false)]
    [InlineData(false, "on", true)]
    public void A_device_is_dialled_as_its_own_setting_says_or_else_that_of_all(bool all, string? own, bool isDialled)
    {
        foreach (string name in (string[])["box", "BOX", Box.Id.ToString()])
        {
            ConnectionPolicy policy = Of(Incoming.All, all, own is null ? null : (name, own == "on"));
            Assert.Equal(isDialled ? null : "AM0185", policy.WhyNotDialled(Box.Id)?.Code);
            Assert.Equal(all ? null : "AM0185", policy.WhyNotDialled(Phone.Id)?.Code);
        }
    }

    private static ConnectionPolicy Of(Incoming incoming, bool autoConnect, (string Name, bool On)? one = null)
    {
        var devices = new Dictionary<string, bool>(StringComparer.OrdinalIgnoreCase);
        if (one is { } exception)
        {
            devices[exception.Name] = exception.On;
        }

        return new ConnectionPolicy(new ConnectionsSettings(incoming, autoConnect, devices, 0, 0), new BoxIsIn(), device => device == Box.Id ? "box" : null);
    }

    private sealed class BoxIsIn : IAdmission
    {
        public bool IsAdmitted(DevicePublicKey key) => key == Box.PublicKey;

        public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => new(InvitationStatus.Open, Secret);

        public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => true;
    }
}
