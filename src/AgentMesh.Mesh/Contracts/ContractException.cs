namespace AgentMesh.Mesh.Contracts;

/// <summary>Bytes under a known manifest that do not hold what the contract says. Only the serializer sees it.</summary>
internal sealed class ContractException(string message, Exception? inner = null) : Exception(message, inner);
