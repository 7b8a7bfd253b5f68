using System.Net;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Handshake;

/// <summary>One device of a <see cref="HandshakeNet"/>.</summary>
internal sealed class TestDevice
{
    private readonly HandshakeNet _net;

    public TestDevice(HandshakeNet net, int seed, IPEndPoint address, HandshakeSettings settings, InvitationBook? book, DeviceIdentity? identity)
    {
        _net = net;
        Address = address;
        Identity = identity ?? DeviceIdentity.Create(new SeededEntropy(seed));
        Admission = new TestAdmission(book);
        Endpoint = new HandshakeEndpoint(Identity, Admission, settings, new InitiationStamps(0, null), [(byte)seed], new SeededEntropy(seed + 1000));
    }

    public DeviceIdentity Identity { get; }

    public IPEndPoint Address { get; }

    public TestAdmission Admission { get; }

    public HandshakeEndpoint Endpoint { get; }

    public List<EstablishedSession> Sessions { get; } = [];

    public List<AttemptFailure> Failures { get; } = [];

    public List<HandshakeOutcome> Outcomes { get; } = [];

    public EstablishedSession Session => Sessions[^1];

    public void Admit(TestDevice other) => Admission.Admitted.Add(other.Identity.PublicKey);

    public void Connect(TestDevice other, InvitationSecret invitation = default) =>
        Assert.True(Endpoint.TryConnect(other.Identity.PublicKey, [other.Address], invitation, _net.Now));
}

/// <summary>
/// Devices, a virtual clock and a network that delivers at once unless <see cref="Filter"/> says otherwise. An established initiator sends one empty packet.
/// </summary>
internal sealed class HandshakeNet
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<TestDevice> _devices = [];
    private TimeSpan _elapsed;

    public MeshInstant Now => new(TimeSpan.FromDays(3) + _elapsed, Start + _elapsed);

    /// <summary>True delivers.</summary>
    public Func<TestDevice, TestDevice, byte[], bool> Filter { get; set; } = (_, _, _) => true;

    public List<(TestDevice From, IPEndPoint To, byte[] Bytes)> Sent { get; } = [];

    public TestDevice Add(int seed, HandshakeSettings? settings = null, InvitationBook? book = null, DeviceIdentity? identity = null)
    {
        var address = new IPEndPoint(IPAddress.Parse($"10.0.0.{seed}"), 4000 + seed);
        var device = new TestDevice(this, seed, address, settings ?? new HandshakeSettings(), book, identity);
        _devices.RemoveAll(d => d.Address.Equals(address));
        _devices.Add(device);
        return device;
    }

    public (TestDevice A, TestDevice B) Pair(HandshakeSettings? settings = null)
    {
        TestDevice a = Add(1, settings), b = Add(2, settings);
        a.Admit(b);
        b.Admit(a);
        return (a, b);
    }

    /// <summary>Delivers until nobody has anything to say.</summary>
    public void Run()
    {
        bool moved;
        do
        {
            moved = false;
            foreach (TestDevice device in _devices.ToList())
            {
                moved |= Flush(device);
            }
        }
        while (moved);
    }

    /// <summary>Lets time pass, with every timer on time.</summary>
    public void Advance(TimeSpan time)
    {
        TimeSpan end = _elapsed + time;
        Run();
        while (true)
        {
            TimeSpan? next = _devices.Select(d => d.Endpoint.NextWakeUp).Where(w => w is not null).Min();
            TimeSpan at = next is { } wake ? wake - TimeSpan.FromDays(3) : end;
            if (at >= end)
            {
                break;
            }

            _elapsed = at > _elapsed ? at : _elapsed;
            _devices.ForEach(d => d.Endpoint.HandleTimeout(Now));
            Run();
        }

        _elapsed = end;
        _devices.ForEach(d => d.Endpoint.HandleTimeout(Now));
        Run();
    }

    public HandshakeOutcome Deliver(TestDevice to, IPEndPoint from, byte[] bytes)
    {
        HandshakeOutcome outcome = HandshakeOutcome.Accepted;
        if (Datagrams.KindOf(bytes) == DatagramKind.Packet)
        {
            to.Endpoint.TryConfirm(bytes, from, Now);
        }
        else
        {
            outcome = to.Endpoint.HandleDatagram(bytes, from, Now);
            to.Outcomes.Add(outcome);
        }

        return outcome;
    }

    public static byte[] Packet(EstablishedSession session, ulong number, TimeSpan now)
    {
        byte[] packet = new byte[PacketLayout.Overhead + 4];
        Assert.True(session.Protector.TrySeal(packet, 4, session.RemoteConnectionId, default, number, now, out int length));
        return packet[..length];
    }

    private bool Flush(TestDevice device)
    {
        bool moved = false;
        byte[] buffer = new byte[HandshakeEndpoint.MaxDatagramBytes];
        while (device.Endpoint.TryTransmit(buffer, out HandshakeTransmit transmit))
        {
            moved = true;
            Transmit(device, transmit.To, buffer[..transmit.Length]);
        }

        while (device.Endpoint.TryReadEvent(out HandshakeEvent? happened))
        {
            moved = true;
            if (happened is SessionEstablished { Session: var session })
            {
                device.Sessions.Add(session);
                if (session.IsInitiator)
                {
                    Transmit(device, session.RemoteAddress, Packet(session, 0, Now.Monotonic));
                }
            }
            else
            {
                device.Failures.Add(((AttemptFailed)happened!).Reason);
            }
        }

        return moved;
    }

    private void Transmit(TestDevice from, IPEndPoint to, byte[] bytes)
    {
        Sent.Add((from, to, bytes));
        if (_devices.Find(d => d.Address.Equals(to)) is { } target && Filter(from, target, bytes))
        {
            Deliver(target, from.Address, bytes);
        }
    }
}
