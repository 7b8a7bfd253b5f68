using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;

namespace Simulation.Reach.Net;

/// <summary>A device of the same mesh or of another one, at an address at which somebody else is looked for.</summary>
internal sealed class OtherDevice : NetHost
{
    public OtherDevice(SimInternet net, int seed, IEnumerable<DevicePublicKey> admitted, params SimInterface[] interfaces)
        : base(net, seed)
    {
        Interfaces = interfaces;
        Admission.Admitted.UnionWith(admitted);
    }

    public int Sessions { get; private set; }

    protected override void Established(Connection connection, EstablishedSession session) => Sessions++;

    protected override void Ended(Connection connection)
    {
    }

    protected override void Happened(Connection connection, ConnectionEvent happened)
    {
    }

    protected override void HandleRelayed(byte[] datagram, IPEndPoint from)
    {
    }
}
