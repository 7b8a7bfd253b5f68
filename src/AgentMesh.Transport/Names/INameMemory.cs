using System.Net;

namespace AgentMesh.Transport.Names;

/// <summary>Where hosts that are known by name answered, for when nobody resolves the name. Implementations are thread-safe.</summary>
public interface INameMemory
{
    /// <summary>The addresses at which a host answered, the latest first; empty where none is known.</summary>
    IReadOnlyList<IPAddress> Of(string host);

    /// <summary>The host answered at this address, and it was proven that it was the host: what a resolver says alone is no proof.</summary>
    void Answered(string host, IPAddress address);

    /// <summary>Whether a resolver had an address for the name just now.</summary>
    void Asked(string host, bool isResolved);
}
