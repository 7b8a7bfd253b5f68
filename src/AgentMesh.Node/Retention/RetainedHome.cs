using AgentMesh.Journal;
using AgentMesh.Mesh;
using Akka.Actor;

namespace AgentMesh.Node.Retention;

/// <summary>A home whose ended jobs this device removes.</summary>
/// <param name="Store">Null while there is none: a pool that is not joined.</param>
/// <param name="RegionOf">The region of an entity of this home that this device takes part in, by the message for it; null while there is none.</param>
/// <param name="RemoveOutput">Removes the output of a job; null where that goes with its journal.</param>
internal sealed record RetainedHome(HomeId Home, Func<IEventStore?> Store, Func<object, IActorRef?> RegionOf, Func<string, ValueTask>? RemoveOutput);
