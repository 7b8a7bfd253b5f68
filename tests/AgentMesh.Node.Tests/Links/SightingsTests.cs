using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Remoting.Tests.Doubles;

namespace AgentMesh.Node.Tests.Links;

public sealed class SightingsTests : IAsyncDisposable
{
    private static readonly DevicePublicKey Key = MemoryMesh.KeyOf("gpu"), Stranger = MemoryMesh.KeyOf("stranger");
    private static readonly DeviceId Device = Key.Id;
    private static readonly IPEndPoint At = IPEndPoint.Parse("192.0.2.1:14590");

    private readonly ConnectionHub _hub = new(new MemoryMesh().Start("here"), new MemoryMesh(), TimeProvider.System);
    private readonly DeviceDirectory _directory = new("/nonexistent/devices.json", TimeProvider.System) { Admitted = new Dictionary<DeviceId, DevicePublicKey> { [Device] = Key } };
    private readonly List<DeviceId> _hurried = [];
    private readonly Sightings _sightings;
    private bool _isLinked;

    public SightingsTests() => _sightings = new Sightings(_hub, _directory, _ => _isLinked, _hurried.Add);

    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    [Fact]
    public void A_device_that_announces_itself_is_dialled_there_and_a_linked_one_is_remembered_only()
    {
        _sightings.TakeAnnouncement(Device, At);
        Assert.Equal([Device], _hurried);
        Assert.Equal([At], _directory.Addresses(Device));

        _isLinked = true;
        IPEndPoint later = IPEndPoint.Parse("192.0.2.2:14590");
        _sightings.TakeAnnouncement(Device, later);
        Assert.Single(_hurried);
        Assert.Contains(later, _directory.Addresses(Device));
    }

    [Fact]
    public void What_others_say_is_dialled_when_it_is_new()
    {
        _sightings.Take(Saying(Device.ToString(), At.ToString()));
        _sightings.Take(Saying(Device.ToString(), At.ToString()));
        Assert.Equal([Device], _hurried);

        _isLinked = true;
        _sightings.Take(Saying(Device.ToString(), "192.0.2.2:14590"));
        Assert.Equal([Device], _hurried);
        Assert.Equal(2, _directory.Addresses(Device).Count);
    }

    [Fact]
    public void Of_who_is_not_admitted_nothing_is_taken()
    {
        _sightings.TakeAnnouncement(Stranger.Id, At);
        _sightings.TakeWay(Stranger.Id, isNew: true);
        _sightings.Take(Saying(Stranger.Id.ToString(), At.ToString()));
        _sightings.Take(Saying("no device", At.ToString()));
        Assert.Empty(_hurried);
        Assert.Empty(_directory.Addresses(Stranger.Id));
    }

    [Fact]
    public void Link_local_addresses_mean_nothing_to_others()
    {
        _sightings.Take(Saying(Device.ToString(), "[fe80::1%2]:14590"));
        Assert.Empty(_directory.Addresses(Device));

        _directory.Told(Device, [IPEndPoint.Parse("[fe80::1%2]:14590"), At]);
        Sighting said = Assert.Single(_sightings.Say([Device]).Sightings);
        Assert.Equal(Device.ToString(), said.Device);
        Assert.Equal([At.ToString()], said.Addresses);
    }

    [Fact]
    public void What_is_said_and_taken_has_a_limit()
    {
        _directory.Told(Device, Enumerable.Range(1, 20).Select(port => new IPEndPoint(At.Address, port)));
        Whereabouts said = _sightings.Say(Enumerable.Repeat(Device, 500));
        Assert.Equal((200, 8), (said.Sightings.Count, said.Sightings[0].Addresses.Count));

        var many = new Whereabouts();
        many.Sightings.Add(Enumerable.Repeat(new Sighting { Device = Stranger.Id.ToString() }, 1_000));
        many.Sightings.Add(Saying(Device.ToString(), "192.0.2.77:1").Sightings);
        _sightings.Take(many);
        Assert.Empty(_hurried);
    }

    [Fact]
    public void A_new_way_is_taken_at_once_where_there_is_no_link()
    {
        _sightings.TakeWay(Device, isNew: false);
        Assert.Empty(_hurried);
        _sightings.TakeWay(Device, isNew: true);
        _isLinked = true;
        _sightings.TakeWay(Device, isNew: true);
        Assert.Equal([Device], _hurried);
    }

    private static Whereabouts Saying(string device, string address)
    {
        var whereabouts = new Whereabouts();
        whereabouts.Sightings.Add(new Sighting { Device = device, Addresses = { address } });
        return whereabouts;
    }
}
