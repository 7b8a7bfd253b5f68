using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Reach;

/// <summary>
/// At which devices of the mesh to register as relays. Two devices meet only at one that both have chosen: those that relayed between them before come first, in a number of
/// their own, and then the first by id, which others choose too as far as they can.
/// </summary>
internal static class RelayChoice
{
    /// <summary>By id.</summary>
    public const int OthersMax = 4;

    /// <summary>Of those that relayed before.</summary>
    public const int ProvenMax = 4;

    /// <param name="present">Registered at already; of them none is given up.</param>
    /// <param name="candidates">That may relay.</param>
    /// <param name="wanted">The devices to be reached.</param>
    /// <param name="relaysTo">Those that relayed to a device before.</param>
    /// <returns>Where to register beside <paramref name="present"/>.</returns>
    public static IReadOnlyList<DeviceId> Choose(
        IReadOnlyCollection<DeviceId> present, IEnumerable<DeviceId> candidates, IReadOnlySet<DeviceId> wanted, Func<DeviceId, IReadOnlyList<GoodRelay>> relaysTo)
    {
        // Who relayed to most of them first: with as many as that all are reached, if any can be.
        Dictionary<DeviceId, int> helped = wanted.SelectMany(relaysTo).GroupBy(relay => relay.Device).ToDictionary(relay => relay.Key, relay => relay.Count());
        int proven = present.Count(helped.ContainsKey), others = present.Count - proven;
        DeviceId[] free = [.. candidates.Where(device => !present.Contains(device)).OrderBy(device => device.ToString(), StringComparer.Ordinal)];
        DeviceId[] first = [.. free.Where(helped.ContainsKey).OrderByDescending(device => helped[device]).Take(Math.Max(0, ProvenMax - proven))];
        return [.. first, .. free.Where(device => !helped.ContainsKey(device)).Take(Math.Max(0, OthersMax - others))];
    }
}
