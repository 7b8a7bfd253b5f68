using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>
/// Two devices with two networks between them; the address that a packet comes from follows from the one that it goes to. Each side knows the other one by the address
/// of another network, so that each sees all packets come from where it does not send.
/// </summary>
public sealed class CrossedAddressesTests : IDisposable
{
    private readonly IPEndPoint[] _addressesOfA = [Address("192.0.2.1"), Address("198.51.100.1")];
    private readonly IPEndPoint[] _addressesOfB = [Address("192.0.2.2"), Address("198.51.100.2")];
    private readonly Connection _a;
    private readonly Connection _b;
    private readonly PriorityQueue<(Connection To, byte[] Datagram, IPEndPoint From), TimeSpan> _flying = new();
    private readonly byte[] _buffer = new byte[65_536];
    private TimeSpan _now = TestSessions.Start;
    private TimeSpan _delay;
    private int _sent;

    public CrossedAddressesTests()
    {
        _a = Of(isInitiator: true, _addressesOfB[0]);
        _b = Of(isInitiator: false, _addressesOfA[1]);
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(5)]
    [InlineData(80)]
    public void Come_to_one_network_without_asking_each_other_in_circles(double delayMilliseconds)
    {
        _delay = TimeSpan.FromMilliseconds(delayMilliseconds);
        for (int i = 0; i < 10; i++)
        {
            Write(_a);
            Write(_b);
            Run(TimeSpan.FromSeconds(1));
        }

        Assert.True(_a.IsOpen && _b.IsOpen);
        Assert.Equal(Array.IndexOf(_addressesOfB, _a.Remote), Array.IndexOf(_addressesOfA, _b.Remote));
        Assert.InRange(_sent, 10, 100);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Either_side_follows_the_other_one_to_a_new_address(bool initiatorMoves)
    {
        _delay = TimeSpan.FromMilliseconds(20);
        Write(_a);
        Write(_b);
        Run(TimeSpan.FromSeconds(1));
        (Connection mover, Connection other, IPEndPoint[] addresses) = initiatorMoves ? (_a, _b, _addressesOfA) : (_b, _a, _addressesOfB);
        for (int port = 5000; port < 5010; port++)
        {
            for (int network = 0; network < addresses.Length; network++)
            {
                addresses[network] = new IPEndPoint(addresses[network].Address, port);
            }

            Write(other);
            Write(mover);
            Run(TimeSpan.FromSeconds(2));
            Assert.Contains(other.Remote, addresses);
            Assert.Equal((0, 0), (_a.Path.Loss.PacketsInFlight, _b.Path.Loss.PacketsInFlight));
        }
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    private static void Write(Connection connection)
    {
        Assert.True(connection.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        connection.Streams.Write(stream!, new byte[10]);
    }

    private static IPEndPoint Address(string text) => new(IPAddress.Parse(text), 4000);

    private static Connection Of(bool isInitiator, IPEndPoint remote)
    {
        EstablishedSession session = TestSessions.Of(isInitiator, TransportParameters.Of(new ConnectionSettings()), remoteAddress: remote);
        return new Connection(session, new ConnectionSettings(), MtuSettings.Fixed(1200), TestSessions.Start, new SeededEntropy(isInitiator ? 1 : 2));
    }

    private void Run(TimeSpan time)
    {
        TimeSpan end = _now + time;
        Work(_a, _b, _addressesOfA, _addressesOfB);
        Work(_b, _a, _addressesOfB, _addressesOfA);
        while (true)
        {
            TimeSpan timer = _a.NextTimeout() < _b.NextTimeout() ? _a.NextTimeout() : _b.NextTimeout();
            TimeSpan next = _flying.TryPeek(out _, out TimeSpan at) && at < timer ? at : timer;
            if (next > end)
            {
                break;
            }

            _now = next > _now ? next : _now;
            while (_flying.TryPeek(out var arrived, out at) && at <= _now)
            {
                _flying.Dequeue();
                arrived.To.HandleDatagram(arrived.Datagram, arrived.From, _now);
            }

            Work(_a, _b, _addressesOfA, _addressesOfB);
            Work(_b, _a, _addressesOfB, _addressesOfA);
            Assert.True(_sent < 5_000, $"{_sent} datagrams after {_now - TestSessions.Start}");
        }

        _now = end;
    }

    private void Work(Connection from, Connection to, IPEndPoint[] ours, IPEndPoint[] theirs)
    {
        from.HandleTimeout(_now);
        int length;
        while ((length = from.PollTransmit(_buffer, _now)) > 0)
        {
            _sent++;
            int network = Array.IndexOf(theirs, from.Destination);
            if (network < 0)
            {
                continue; // nobody is there any more
            }

            _flying.Enqueue((to, _buffer[..length], ours[network]), _now + _delay);
        }

        while (from.TryReadEvent(out _))
        {
        }
    }
}
