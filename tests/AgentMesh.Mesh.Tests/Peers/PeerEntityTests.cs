using AgentMesh.Mesh.Peers;
using Akka.Actor;
using Akka.Configuration;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Peers;

public sealed class PeerEntityTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly PeerId Id = new(Home, Gpu);

    private readonly ActorSystem _system = ActorSystem.Create("peers", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"));
    private IActorRef _peer = ActorRefs.Nobody;

    public Task InitializeAsync()
    {
        _peer = Begin();
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _system.Terminate().WaitAsync(Patience);

    [Fact]
    public async Task A_peer_that_was_never_heard_of_is_unknown_and_disconnected()
    {
        PeerView view = await View();
        Assert.Null(view.Facts);
        Assert.Null(view.LastSeenAt);
        Assert.Equal(PeerConnectionState.Disconnected, view.State);
    }

    [Fact]
    public async Task Facts_and_addresses_survive_and_the_link_does_not()
    {
        await Record(new RecordPeerFacts(Id, Facts, ["192.0.2.1:1", "192.0.2.2:2"]));
        await Record(new RecordPeerLink(Id, PeerConnectionState.Connected, Start, "192.0.2.9:9", TimeSpan.FromMilliseconds(3)));
        PeerView before = await View();
        Assert.Equal(["192.0.2.9:9", "192.0.2.1:1", "192.0.2.2:2"], before.Addresses.Select(address => address.Text));
        Assert.Equal((PeerConnectionState.Connected, TimeSpan.FromMilliseconds(3), Start), (before.State, before.RoundTrip, before.LastSeenAt));

        await Restart();
        Assert.Equal(before with { State = PeerConnectionState.Disconnected, RoundTrip = null }, await View());
    }

    [Fact]
    public async Task When_it_was_last_seen_is_when_the_link_went_down()
    {
        await Record(new RecordPeerLink(Id, PeerConnectionState.Connected, Start, "a:1", null));
        await Record(new RecordPeerLink(Id, PeerConnectionState.Disconnected, Start.AddHours(1), null, null));
        await Record(new RecordPeerLink(Id, PeerConnectionState.Failed, Start.AddHours(2), null, null));
        Assert.Equal(Start.AddHours(1), (await View()).LastSeenAt);
    }

    [Fact]
    public async Task A_link_that_flaps_for_ever_keeps_its_facts_and_its_last_state()
    {
        await Record(new RecordPeerFacts(Id, Facts, []));
        for (int i = 0; i < 300; i++)
        {
            await Record(new RecordPeerLink(Id, i % 2 == 0 ? PeerConnectionState.Connected : PeerConnectionState.Disconnected, Start.AddSeconds(i), $"a:{i}", null));
        }

        await Restart();
        PeerView view = await View();
        Assert.Equal(("gpu-box", PeerView.AddressesMax, Start.AddSeconds(299)), (view.Facts!.Name, view.Addresses.Length, view.LastSeenAt));
    }

    private IActorRef Begin() => _system.ActorOf(PeerEntity.Create(Id, TimeProvider.System));

    private async Task Restart()
    {
        await _peer.GracefulStop(Patience);
        _peer = Begin();
    }

    private Task Record(object message) => _peer.Ask<PeerRecorded>(message, Patience);

    private Task<PeerView> View() => _peer.Ask<PeerView>(new GetPeer(Id), Patience);
}
