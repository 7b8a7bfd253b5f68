using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>Where the attempt of a job is: on which life of its device's node, as far as is known.</summary>
/// <param name="lifeOf">Null while a device is away; another number means that its node was restarted.</param>
internal sealed class AttemptPlace(Func<DeviceId, long?> lifeOf)
{
    /// <summary>Null while the device is away.</summary>
    private long? _life;

    /// <summary>The attempt is a new one, or was read from the journal.</summary>
    public void Begins(JobState job) => _life = job.Placement?.Incarnation;

    /// <summary>Looks for the device. True once when it is back, or its node was restarted: then it is asked whether it has the attempt.</summary>
    public bool IsInDoubt(JobState job)
    {
        if (!job.Exists || !job.Name.HasAttempt())
        {
            return false;
        }

        long? life = lifeOf(job.Placement!.Device);
        bool isAnother = life is not null && life != _life;
        _life = life;
        return isAnother;
    }

    /// <summary>The device that has the attempt, or is to have one.</summary>
    public bool IsThere(JobState job) => job.Name.HasAttempt() ? _life is not null : lifeOf(job.Spec!.Target.Device) is not null;
}
