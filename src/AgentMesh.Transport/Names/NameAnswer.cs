using System.Net;

namespace AgentMesh.Transport.Names;

/// <param name="Resolved">What the resolver says now; empty where it says nothing in time.</param>
/// <param name="Remembered">Where the host answered before, the latest first.</param>
public readonly record struct NameAnswer(IReadOnlyList<IPAddress> Resolved, IReadOnlyList<IPAddress> Remembered)
{
    /// <summary>For who can tell the host from another one, as by its key: a resolver that lies keeps nobody from where the host answered before.</summary>
    public IReadOnlyList<IPAddress> All => [.. Resolved.Concat(Remembered).Distinct()];

    /// <summary>For who asks one address and believes the answer.</summary>
    public IReadOnlyList<IPAddress> Best => Resolved.Count > 0 ? Resolved : Remembered;
}
