using System.Collections.Immutable;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Arrays;

/// <summary>Devices on which elements may run. Names were looked up when the array was accepted; labels are looked at whenever an element begins.</summary>
/// <param name="Selector">As it was typed; empty for this device.</param>
public sealed record ArrayTargets(string Selector, bool Everybody, ImmutableArray<DeviceId> Devices, ImmutableArray<string> Labels)
{
    public bool Equals(ArrayTargets? other) =>
        other is not null && Selector == other.Selector && Everybody == other.Everybody && Devices.AsSpan().SequenceEqual(other.Devices.AsSpan()) && Labels.AsSpan().SequenceEqual(other.Labels.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Selector, Everybody, Devices.Length, Labels.Length);
}

/// <summary>A device on which elements may run, as it stands now.</summary>
/// <param name="Absence">Why it is not there, in words; null when it is.</param>
public sealed record ArrayDevice(DeviceId Id, string Name, string? Absence)
{
    public bool IsOnline => Absence is null;

    /// <summary>Attempts of jobs there, as far as it is known here.</summary>
    public int Running { get; init; }
}

/// <summary>Everything about an array that its caller decides. It never changes.</summary>
/// <param name="Job">What every element has in common; its command has placeholders, its target means nothing.</param>
/// <param name="Parallel">Elements at the same time, 1 to <see cref="ParallelMax"/>; null for one on each device.</param>
public sealed record ArraySpec(JobSpec Job, ArrayTargets Targets, ArrayItems Items, int? Parallel)
{
    public const int ParallelMax = 1_000;

    /// <summary>Who is told when it is over, once for all elements; null for nobody.</summary>
    public Notify? Notify { get; init; }
}
