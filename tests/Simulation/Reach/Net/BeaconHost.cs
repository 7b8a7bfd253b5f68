using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Relaying;

namespace Simulation.Reach.Net;

/// <summary>A beacon at a public IPv4 and IPv6 address: the product's core behind connections of the product.</summary>
internal sealed class BeaconHost : NetHost
{
    private static readonly IPAddress Ipv4 = IPAddress.Parse("203.0.113.250"), Ipv6 = IPAddress.Parse("2001:db8:ffff::250");

    private readonly Dictionary<Connection, Guest> _guests = [];
    private readonly Dictionary<Connection, Talk> _talks = [];
    private BeaconCore _core;

    public BeaconHost(SimInternet net, int seed)
        : base(net, seed)
    {
        Public = [Ipv4, Ipv6];
        Rate = 100e6;
        _core = NewCore();
    }

    public IReadOnlyList<IPEndPoint> Addresses { get; } = [new(Ipv4, Port), new(Ipv6, Port)];

    public BeaconCounters Counters => _core.Counters;

    public override void Kill()
    {
        base.Kill();
        IsRunning = false;
        _guests.Clear();
        _talks.Clear();
        _core = NewCore();
    }

    public void Restart() => IsRunning = true;

    protected override void Established(Connection connection, EstablishedSession session)
    {
        foreach (Connection before in _guests.Where(each => each.Value.Device == session.RemoteKey.Id).Select(each => each.Key).ToArray())
        {
            before.EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.Replaced, "a newer session took its place"));
            Ended(before);
        }

        if (_core.TryEnter(session.RemoteKey.Id, connection.Remote, Now) is { } guest)
        {
            _guests.Add(connection, guest);
        }
    }

    protected override void Ended(Connection connection)
    {
        if (_guests.Remove(connection, out Guest? guest))
        {
            _core.Leave(guest);
        }

        _talks.Remove(connection);
    }

    protected override void Happened(Connection connection, ConnectionEvent happened)
    {
        if (!_guests.TryGetValue(connection, out Guest? guest))
        {
            return;
        }

        switch (happened.Kind)
        {
            case ConnectionEventKind.StreamOpened:
                _talks.TryAdd(connection, new Talk(connection, happened.Stream!, () => Now));
                break;
            case ConnectionEventKind.StreamReadable when _talks.TryGetValue(connection, out Talk? talk):
                foreach (byte[] message in talk.Read())
                {
                    _core.Handle(guest, BeaconFrame.TryRead(message)!, Now);
                }

                break;
            case ConnectionEventKind.Moved:
                _core.Moved(guest, connection.Remote);
                break;
        }
    }

    protected override void Write(Connection connection)
    {
        if (_guests.TryGetValue(connection, out Guest? guest) && _talks.TryGetValue(connection, out Talk? talk))
        {
            while (guest.Outbox.TryDequeue(out BeaconFrame? frame))
            {
                talk.Say(frame.ToBytes());
            }

            talk.Write();
        }
    }

    protected override void HandleRelayed(byte[] datagram, IPEndPoint from)
    {
        if (_core.Relay(datagram, from, Now, out IPEndPoint to) is var length && length > 0)
        {
            Net.Send(this, datagram.AsSpan(0, length), to);
        }
    }

    private BeaconCore NewCore() => new(new BeaconLimits(), ChannelIds.Of(Identity, Entropy), TimeSpan.Zero);
}
