using AgentMesh.Mesh;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster;

namespace AgentMesh.Node.Pools;

/// <summary>Which device takes the output of the jobs of a home.</summary>
internal static class OutputPlaces
{
    /// <returns>For a pool this device where it is a member, else any member that is in reach; null while there is none.</returns>
    public static DeviceId? Of(HomeId home, DeviceId self, PoolHost? pool, ActorSystem? system)
    {
        if (!home.IsPool)
        {
            return home.Device;
        }

        if (home == pool?.Home)
        {
            return self;
        }

        if (system is null)
        {
            return null;
        }

        string role = MeshSharding.RoleOf(home);
        ClusterEvent.CurrentClusterState state = Cluster.Get(system).State;
        Member? member = state.Members.FirstOrDefault(each => each.Status is MemberStatus.Up or MemberStatus.WeaklyUp && each.HasRole(role) && !state.Unreachable.Contains(each));
        return member is not null && DeviceId.TryParse(member.Address.Host, out DeviceId device) ? device : null;
    }
}
