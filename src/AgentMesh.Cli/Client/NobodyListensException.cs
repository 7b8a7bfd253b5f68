using System.Net.Sockets;

namespace AgentMesh.Cli.Client;

/// <summary>What tells the refusal of a connection from the loss of one.</summary>
internal sealed class NobodyListensException(SocketException error) : IOException(error.Message, error);
