using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>Many lives of a job with chance for everything that can happen, and what holds in all of them.</summary>
public sealed class JobLifeTests
{
    private const int Steps = 300;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_happens_in_whatever_order(int seed)
    {
        var random = new Random(seed);
        JobSpec spec = SpecOf(
            RetryPolicy.Default with { Attempts = random.Next(1, 4), RetryExitCodes = random.Next(2) == 0, FailWhenUsedUp = random.Next(2) == 0 },
            new JobTimeouts(Maybe(random, 40), null, Maybe(random, 200), TimeSpan.FromSeconds(10)));
        DateTimeOffset now = Start;
        long? life = random.Next(2) == 0 ? 1 : null;
        var events = new List<IJobEvent>();
        JobState job = JobState.None(Job);
        Add(JobRules.Accept(spec, life, now));
        for (int step = 0; step < Steps; step++)
        {
            now += TimeSpan.FromMilliseconds(random.Next(8_000));
            life = random.Next(6) switch { 0 => null, 1 => (life ?? 0) + 1, _ => life ?? 1 };
            switch (random.Next(7))
            {
                case 0 when job.Name.HasAttempt():
                    Add(JobRules.AfterAttempt(job, Result(random), now, random.NextDouble()));
                    break;
                case 1 when job.Name.HasAttempt():
                    job = job.Heard(now);
                    break;
                case 2 when job.Name.HasAttempt() && random.Next(4) == 0:
                    Add(JobRules.AfterUnknown(job, now, random.NextDouble()));
                    break;
                case 3 when job.Name.HasAttempt() && job.CancelRequestedAt is null && random.Next(4) == 0:
                    Add(new CancelRequestedEvent(now, Laptop));
                    break;
                case 4 when job.Name is JobStateName.Paused or JobStateName.Failed or JobStateName.Cancelled:
                    Add(new RetriedEvent(now, Laptop));
                    break;
                default:
                    if (JobRules.AfterTime(job, life, now, random.NextDouble()) is { } change)
                    {
                        Assert.False(job.IsAtRest);
                        Add(change);
                    }
                    else if (!job.IsAtRest && JobRules.NextChange(job, now) is { } next)
                    {
                        Assert.True(next > now);
                    }

                    break;
            }
        }

        // One attempt follows the other; none is begun twice.
        int[] attempts = [.. events.Select(each => each is AcceptedEvent accepted ? accepted.Placement?.Attempt : (each as PlacedEvent)?.Placement.Attempt).OfType<int>()];
        Assert.Equal(Enumerable.Range(1, attempts.Length), attempts);

        void Add(IJobEvent change)
        {
            bool wasCancelled = job.CancelRequestedAt is not null;
            job = job.Apply(change);
            events.Add(change);
            if (wasCancelled && change is not RetriedEvent)
            {
                Assert.IsType<CancelledEvent>(change);
            }

            Assert.True(job.AttemptsSinceRetry <= spec.Retry.Attempts);
            Assert.Equal(job.IsAtRest, job.EndedAt is not null);
            Assert.Equal(job.Name is JobStateName.Paused or JobStateName.Failed, job.Reason is not null && job.Name != JobStateName.Cancelled);

            // The journal alone tells the same: the events as they are stored, the last manifest, and the snapshot.
            JobState read = events.Aggregate(JobState.None(Job), (state, each) => state.Apply(Stored(each, out _)));
            Assert.Equal(read, job with { Name = job.Name == JobStateName.Running ? JobStateName.Placing : job.Name, HeardAt = read.HeardAt });
            Stored(change, out string manifest);
            Assert.Equal(JobManifests.StateAfter(manifest), job.Name == JobStateName.Placing ? JobStateName.Running : job.Name);
            Assert.Equal(job.IsAtRest, JobManifests.AtRest.Contains(manifest));
            Assert.Equal(read with { HeardAt = null }, JobSnapshot.Of(job).ToState(Job));
        }
    }

    private static TimeSpan? Maybe(Random random, int seconds) => random.Next(2) == 0 ? TimeSpan.FromSeconds(seconds) : null;

    private static AttemptResult Result(Random random)
    {
        AttemptOutcome outcome = random.Next(3) == 0 ? AttemptOutcome.Succeeded : (AttemptOutcome)random.Next(2, 6);
        return outcome == AttemptOutcome.Succeeded && random.Next(2) == 0
            ? new AttemptResult(AttemptOutcome.TimedOut)
            : new AttemptResult(outcome, outcome is AttemptOutcome.Succeeded or AttemptOutcome.Failed ? random.Next(3) : null, StdoutBytes: random.Next(1_000));
    }

    private static IJobEvent Stored(IJobEvent change, out string manifest)
    {
        Assert.True(MeshContracts.TryFind(change, out Contract? contract));
        manifest = contract.ManifestOf(change);
        return (IJobEvent)MeshContracts.Read(manifest, contract.Write(change));
    }
}
