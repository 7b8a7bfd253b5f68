using System.Net;

namespace AgentMesh.Protocol.Stun;

/// <summary>
/// Weighs what servers say of this device's address. Three that agree are believed; with fewer, or where they differ (a NAT that takes another port for each destination), each
/// address stands for itself and the most often seen comes first.
/// </summary>
public static class ObserverVotes
{
    public const int Quorum = 3;

    /// <param name="seen">For each server the address that it sees.</param>
    public static IReadOnlyList<IPEndPoint> Weigh(IEnumerable<IPEndPoint> seen)
    {
        (IPEndPoint Address, int Count)[] votes = [.. seen.GroupBy(address => address).Select(group => (group.Key, group.Count())).OrderByDescending(vote => vote.Item2)];
        return votes is [{ Count: >= Quorum } agreed, ..] ? [.. votes.Where(vote => vote.Count >= Quorum || vote.Address.AddressFamily != agreed.Address.AddressFamily).Select(vote => vote.Address)] : [.. votes.Select(vote => vote.Address)];
    }
}
