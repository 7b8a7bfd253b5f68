using System.Net;

namespace AgentMesh.Transport;

/// <summary>What the operating system granted to a socket of a <see cref="MeshEndpoint"/>.</summary>
/// <param name="BufferBytesAsked">For each direction.</param>
/// <param name="SendsBatches">Many datagrams go out with one call (UDP_SEGMENT).</param>
/// <param name="ReceivesBatches">Many datagrams of one sender come with one call (UDP_GRO).</param>
/// <param name="CarriesMarks">Datagrams go out with what they ask of queues, and what queues marked is told (ECN). Needs the two before it.</param>
public readonly record struct MeshSocketInfo(IPEndPoint Local, int BufferBytesAsked, int ReceiveBufferBytes, int SendBufferBytes, bool SendsBatches, bool ReceivesBatches, bool CarriesMarks);
