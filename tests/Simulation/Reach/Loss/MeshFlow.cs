using System.Net;
using AgentMesh.Protocol.Connections;

namespace Simulation.Reach.Loss;

/// <summary>A flow over a shared link.</summary>
internal interface IFlow
{
    /// <summary>Bytes that arrived and were read, each once.</summary>
    long Delivered { get; }
}

/// <summary>Two devices that open a connection; the one that opens sends as much as the network takes.</summary>
internal sealed class MeshFlow : IFlow, IDisposable
{
    private readonly MeshSide _sender;
    private readonly MeshSide _receiver;

    /// <param name="forth">Shared with others.</param>
    public MeshFlow(EventClock clock, int seed, ConnectionSettings settings, LossyLink forth, LossyLink back, TimeSpan roundTrip)
    {
        var atSender = new IPEndPoint(IPAddress.Parse("10.0.0.1"), 4001);
        var atReceiver = new IPEndPoint(IPAddress.Parse("10.0.0.2"), 4002);
        MtuSettings mtu = MtuSettings.Fixed(MtuSettings.Base);
        _sender = new MeshSide(clock, seed, atSender, settings, mtu, (datagram, ecn) => forth.Send(datagram.Length, roundTrip / 2, ecn, arrived => _receiver!.Take(datagram, atSender, arrived))) { Writes = true };
        _receiver = new MeshSide(clock, seed + 250_000, atReceiver, settings, mtu, (datagram, ecn) => back.Send(datagram.Length, roundTrip / 2, ecn, arrived => _sender.Take(datagram, atReceiver, arrived)));
        _sender.Admit(_receiver);
        _receiver.Admit(_sender);
    }

    public long Delivered => _receiver.BytesRead;

    public bool IsBroken => _sender.HasFailed || _sender.Connection is { IsOpen: false } || _receiver.Connection is { IsOpen: false };

    public Connection? Connection => _sender.Connection;

    public void Start() => _sender.Open(_receiver);

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }
}
