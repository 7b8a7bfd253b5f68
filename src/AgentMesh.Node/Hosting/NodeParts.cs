namespace AgentMesh.Node.Hosting;

/// <summary>The parts of a running node that outlive its actor systems, for those who show them.</summary>
internal sealed record NodeParts(DeviceParts Device, StoreParts Stores, WorkerParts Workers, ReachParts Reach, GenerationKeeper Generations, ServiceParts Services);
