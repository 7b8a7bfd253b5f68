using System.Net;

namespace AgentMesh.Transport.Names;

/// <summary>Remembers nothing.</summary>
public sealed class NoNameMemory : INameMemory
{
    public static readonly NoNameMemory Instance = new();

    private NoNameMemory()
    {
    }

    public IReadOnlyList<IPAddress> Of(string host) => [];

    public void Answered(string host, IPAddress address)
    {
    }

    public void Asked(string host, bool isResolved)
    {
    }
}
