using System.Collections.Immutable;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <param name="Name">As it called itself when it was admitted, or was renamed to; unique here.</param>
/// <param name="Grants">What it may do on this device.</param>
public sealed record RegisteredDevice(DevicePublicKey Key, string Name, ImmutableSortedSet<string> Grants)
{
    /// <summary>Of its first key.</summary>
    public DeviceId Id { get; init; } = Key.Id;

    /// <summary>The keys that it had before, the first one first.</summary>
    public IReadOnlyList<DevicePublicKey> FormerKeys { get; init; } = [];

    /// <summary>Since when <see cref="RegisteredDevice.Key"/> counts; null for its first one. By the clock of that device.</summary>
    public DateTimeOffset? KeySince { get; init; }

    /// <summary>Whose word lets it in: this device where it did itself, else the nearest that is believed.</summary>
    public DeviceId AdmittedBy { get; init; }

    /// <summary>By the clock of that device.</summary>
    public DateTimeOffset AdmittedAt { get; init; }
}

/// <summary>A device that was put out for the whole mesh.</summary>
/// <param name="Name">What it was called when it was admitted; empty where this copy never saw that.</param>
/// <param name="By">Who said so; the device itself where its key was given up.</param>
public sealed record RevokedDevice(DevicePublicKey Key, string Name, DeviceId By, DateTimeOffset At)
{
    public DeviceId Id { get; init; } = Key.Id;
}
