using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Tests.Remembered;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests.Reach;

public sealed class RelayPolicyTests : IDisposable
{
    private static readonly IPEndPoint Own = IPEndPoint.Parse("203.0.113.50:14590"), Outside = IPEndPoint.Parse("198.51.100.7:40000");

    private readonly string _root = Directory.CreateTempSubdirectory("am-relay-policy-").FullName;
    private readonly DeviceId _one = DeviceIdentity.Create(SystemEntropy.Instance).Id;
    private readonly DeviceId _other = DeviceIdentity.Create(SystemEntropy.Instance).Id;
    private readonly SetClock _clock = new();
    private bool _isForwarded;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void By_itself_it_relays_for_who_has_reached_it_whoever_opened_the_next_connection()
    {
        RelayPolicy policy = Policy(RelayOffer.Auto);
        Assert.False(policy.MayUse(_one, isIncoming: false, Outside));
        Assert.True(policy.MayUse(_one, isIncoming: true, Outside));
        Assert.True(policy.MayUse(_one, isIncoming: false, Outside));
        Assert.False(policy.MayUse(_other, isIncoming: false, Outside));
    }

    [Fact]
    public void A_relay_that_was_started_again_and_opened_all_connections_itself_remembers_for_thirty_days_who_reached_it()
    {
        Assert.True(Policy(RelayOffer.Auto).MayUse(_one, isIncoming: true, Outside));
        Assert.True(Policy(RelayOffer.Auto).MayUse(_one, isIncoming: false, Outside));
        Assert.False(Policy(RelayOffer.Auto).MayUse(_other, isIncoming: false, Outside));

        _clock.Now += TimeSpan.FromDays(29);
        Assert.True(Policy(RelayOffer.Auto).MayUse(_one, isIncoming: true, Outside)); // and once more from now on
        _clock.Now += TimeSpan.FromDays(29);
        Assert.True(Policy(RelayOffer.Auto).MayUse(_one, isIncoming: false, Outside));
        _clock.Now += TimeSpan.FromDays(1);
        Assert.False(Policy(RelayOffer.Auto).MayUse(_one, isIncoming: false, Outside));
    }

    [Fact]
    public void Who_sees_it_at_an_address_of_its_own_has_no_NAT_before_it()
    {
        RelayPolicy policy = Policy(RelayOffer.Auto);
        Assert.True(policy.MayUse(_one, isIncoming: false, Own));
        Assert.False(policy.MayUse(_one, isIncoming: false, new IPEndPoint(Own.Address, 5))); // a NAT on the way back, or another device
        Assert.False(policy.MayUse(_one, isIncoming: false, seenAt: null));
    }

    [Fact]
    public void A_forwarded_port_is_for_everybody_while_it_is_there()
    {
        RelayPolicy policy = Policy(RelayOffer.Auto);
        _isForwarded = true;
        Assert.True(policy.MayUse(_one, isIncoming: false, Outside));
        _isForwarded = false;
        Assert.False(policy.MayUse(_one, isIncoming: false, Outside));
    }

    [Fact]
    public void Turned_on_it_relays_for_everybody() => Assert.True(Policy(RelayOffer.On).MayUse(_one, isIncoming: false, seenAt: null));

    /// <summary>Of a node that has just started.</summary>
    private RelayPolicy Policy(RelayOffer offer)
    {
        var directory = new DeviceDirectory(Path.Combine(_root, "devices.json"), _clock);
        return new RelayPolicy(offer, new ReachEvidence { Come = directory.Came, HasCome = directory.HasCome, IsOwn = Own.Equals, IsForwarded = () => _isForwarded });
    }
}
