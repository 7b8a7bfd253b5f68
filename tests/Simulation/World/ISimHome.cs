using AgentMesh.Protocol.Identity;

namespace Simulation.World;

/// <summary>Where jobs are kept, as somebody at that device sees it.</summary>
internal interface ISimHome
{
    DeviceId Id { get; }

    /// <summary>Asks an entity; nothing happens while the node is down.</summary>
    void Ask(object message, Action<object> answered);
}
