using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>A key's word that it comes after another one, with what that one has signed: proof to whoever has a key that this excludes, from whomever it comes.</summary>
/// <param name="KeyId">Of the key that claims it.</param>
/// <param name="Entry">The canonical bytes of its entry.</param>
public readonly record struct KeyClaim(DeviceId KeyId, byte[] Entry);
