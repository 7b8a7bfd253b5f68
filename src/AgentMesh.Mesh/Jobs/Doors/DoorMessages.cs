using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Doors;

/// <summary>A job waits for nothing but its device. Said again, it keeps its place.</summary>
/// <param name="HasBegun">It had an attempt before: it goes before those that had none.</param>
internal sealed record AtDoor(JobId JobId, DeviceId Device, int Priority, bool HasBegun) : INoSerializationVerificationNeeded;

/// <summary>The device is there, and it is the job's turn to go to it.</summary>
internal sealed record MayBegin(JobId JobId) : INoSerializationVerificationNeeded;

/// <summary>It waits for its turn on the device itself, and is on the way still.</summary>
internal sealed record OnTheWay(JobId JobId, DeviceId Device) : INoSerializationVerificationNeeded;

/// <summary>Its attempt has begun or is over, or the job does not want to go any more: the next one may.</summary>
internal sealed record LeftDoor(JobId JobId, DeviceId Device) : INoSerializationVerificationNeeded;
