using AgentMesh.Node.Reach;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests.Reach;

public sealed class RelayPolicyTests
{
    private readonly DeviceId _one = DeviceIdentity.Create(SystemEntropy.Instance).Id;
    private readonly DeviceId _other = DeviceIdentity.Create(SystemEntropy.Instance).Id;

    [Fact]
    public void By_itself_it_relays_for_who_has_reached_it_whoever_opened_the_next_connection()
    {
        var policy = new RelayPolicy(RelayOffer.Auto);
        Assert.False(policy.MayUse(_one, isIncoming: false));
        Assert.True(policy.MayUse(_one, isIncoming: true));
        Assert.True(policy.MayUse(_one, isIncoming: false));
        Assert.False(policy.MayUse(_other, isIncoming: false));
    }

    [Fact]
    public void Turned_on_it_relays_for_everybody() => Assert.True(new RelayPolicy(RelayOffer.On).MayUse(_one, isIncoming: false));
}
