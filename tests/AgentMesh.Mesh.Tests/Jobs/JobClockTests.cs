using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>What a job makes of time, also of a clock that jumps.</summary>
public sealed class JobClockTests
{
    [Theory]
    [InlineData(-3600)]
    [InlineData(3600)]
    public async Task A_clock_that_is_set_neither_loses_an_attempt_nor_stretches_a_wait(int seconds)
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(RetryPolicy.Default with { BackoffMin = TimeSpan.FromMinutes(1) }));
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        await lab.Until(JobStateName.Running);
        lab.Time.Set(TimeSpan.FromSeconds(seconds));
        for (int look = 0; look < 5; look++)
        {
            await Task.Delay(50);
            Assert.Equal(JobStateName.Running, (await lab.View()).State);
        }

        lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.TimedOut)));
        await lab.Until(JobStateName.Retrying);
        lab.Time.Set(TimeSpan.FromSeconds(-seconds));
        await Task.Delay(300);
        Assert.Equal(JobStateName.Retrying, (await lab.View()).State);
        lab.Time.Advance(TimeSpan.FromSeconds(75));
        Assert.Equal(2, await NextAttempt(lab, 2));
    }

    [Fact]
    public async Task A_wait_that_was_written_down_while_the_clock_was_ahead_is_cut_to_what_it_can_be()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(RetryPolicy.Default with { BackoffMin = TimeSpan.FromMinutes(1) }));
        lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.TimedOut)));
        await lab.Until(JobStateName.Retrying);
        await lab.Kill();
        lab.Time.Set(TimeSpan.FromDays(-30));
        await lab.View();
        lab.Time.Advance(TimeSpan.FromSeconds(75));

        Assert.Equal(2, await NextAttempt(lab, 2));
    }

    [Fact]
    public async Task The_total_timeout_ends_the_attempt_too()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(timeouts: JobTimeouts.Default with { Total = TimeSpan.FromSeconds(10) }));
        lab.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(MeshErrors.TotalTimeout, (await lab.Until(JobStateName.Failed)).Problem!.Code);
        Assert.Equal(1, (await lab.Workers.Next<CancelAttempt>()).Attempt);
    }

    private static async Task<int> NextAttempt(JobLab lab, int wanted)
    {
        while (true)
        {
            if ((await lab.Workers.Next<RunAttempt>()).Attempt == wanted)
            {
                return wanted;
            }
        }
    }
}
