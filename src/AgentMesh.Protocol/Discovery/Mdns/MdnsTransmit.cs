using System.Net;

namespace AgentMesh.Protocol.Discovery.Mdns;

/// <param name="To">Null for the group.</param>
internal readonly record struct MdnsTransmit(IPEndPoint? To, byte[] Bytes);
