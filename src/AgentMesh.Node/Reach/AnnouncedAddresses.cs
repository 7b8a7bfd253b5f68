using System.Net;
using AgentMesh.Node.Links;

namespace AgentMesh.Node.Reach;

/// <summary>
/// What links, invitations and the status tell of where this device is: its own addresses, and those at which gateways and relays pass on to it. What servers merely see
/// is left out: it is of use only together with a punch.
/// </summary>
internal static class AnnouncedAddresses
{
    /// <returns>At most <see cref="LocalAddresses.Most"/>; those of gateways and relays near the front, where an invitation cuts off none of them.</returns>
    public static IReadOnlyList<IPEndPoint> Of(IReadOnlyList<IPEndPoint> own, CandidateList candidates)
    {
        IPEndPoint[] passed = [.. candidates.Of(CandidateKind.Mapped), .. candidates.Of(CandidateKind.Relayed)];
        return passed.Length == 0 ? own : [.. own.Take(1).Concat(passed).Concat(own.Skip(1)).Distinct().Take(LocalAddresses.Most)];
    }
}
