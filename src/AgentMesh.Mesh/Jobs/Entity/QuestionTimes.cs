namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>When jobs that were asked something are asked again. Nothing of it is kept: after a recovery all are asked at once.</summary>
internal sealed class QuestionTimes(TimeProvider time)
{
    private readonly Dictionary<JobId, (long Since, TimeSpan Wait)> _asked = [];

    /// <summary>Zero where it is to be asked now.</summary>
    public TimeSpan Left(JobId job) => _asked.TryGetValue(job, out (long Since, TimeSpan Wait) asked) && asked.Wait - time.GetElapsedTime(asked.Since) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>It is asked again after this, counted from now.</summary>
    public void Wait(JobId job, TimeSpan wait) => _asked[job] = (time.GetTimestamp(), wait);

    /// <summary>What came is no answer: the question is brought forward and never put off, however often that happens.</summary>
    public void AskWithin(JobId job, TimeSpan wait)
    {
        if (Left(job) > wait)
        {
            Wait(job, wait);
        }
    }

    public void Forget(JobId job) => _asked.Remove(job);

    public void Clear() => _asked.Clear();
}
