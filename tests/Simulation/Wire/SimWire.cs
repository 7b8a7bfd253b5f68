using AgentMesh.Protocol.Identity;
using Simulation.Engine;

namespace Simulation.Wire;

/// <summary>
/// The network between endpoints: latency, lines that are cut in one direction or in both, and connections that are lost. Which packets go astray is not
/// shown here: that is the protocol's part, and what it makes of them is a delay.
/// </summary>
internal sealed class SimWire(SimLoop loop)
{
    private readonly Dictionary<DeviceId, SimEndpoint> _endpoints = [];
    private readonly HashSet<(DeviceId From, DeviceId To)> _cut = [];
    private readonly List<SimConnection> _live = [];

    public SimLoop Loop => loop;

    /// <summary>A connection is given up after so much silence.</summary>
    public TimeSpan PeerTimeout { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Share of the hops that take long.</summary>
    public double Slow { get; set; }

    /// <summary>What was written to streams in all: each is a packet where nothing else is under way.</summary>
    public int Writes { get; set; }

    public void Attach(SimEndpoint endpoint) => _endpoints[endpoint.LocalId] = endpoint;

    public SimEndpoint? Find(DeviceId device) => _endpoints.GetValueOrDefault(device) is { IsOpen: true } endpoint ? endpoint : null;

    public void Cut(DeviceId from, DeviceId to) => _cut.Add((from, to));

    public void Heal(DeviceId from, DeviceId to) => _cut.Remove((from, to));

    public void HealAll() => _cut.Clear();

    public bool IsOpen(DeviceId from, DeviceId to) => !_cut.Contains((from, to));

    public TimeSpan Latency() => loop.Chance(Slow) ? loop.Between(0.05, 0.6) : loop.Between(0.0002, 0.004);

    public SimConnection? Between(SimEndpoint one, SimEndpoint other)
    {
        _live.RemoveAll(connection => !connection.IsLive);
        return _live.Find(connection => connection.Owner == one && connection.Other.Owner == other && connection.Other.IsLive);
    }

    public void Add(SimConnection initiator, SimConnection responder)
    {
        _live.Add(initiator);
        _live.Add(responder);
    }

    /// <summary>As when a NAT forgets: both ends find out at once, by chance.</summary>
    public void Reset(DeviceId one, DeviceId other)
    {
        foreach (SimConnection connection in _live.Where(each => each.IsLive && each.Owner.LocalId == one && each.RemoteId == other).ToArray())
        {
            connection.Lose("reset");
            connection.Other.Lose("reset");
        }
    }
}
