using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

public sealed class JobHistoryTests
{
    public static TheoryData<IJobEvent, string> Events => new()
    {
        { new AcceptedEvent(Start, Spec, new Placement(1, Gpu, 5)), "accepted 1 from" },
        { new AcceptedEvent(Start, Spec, null), "accepted 0 from" },
        { new PlacedEvent(Start, new Placement(2, Gpu, 5)), "placed 2 on the gpu" },
        { new CheckpointedEvent(Start, 2, new Checkpoint([1, 2])), "checkpointed 2 2 bytes" },
        { new RetryingEvent(Start, 1, new AttemptResult(AttemptOutcome.TimedOut), Start), "retrying 1 timedout; the next attempt at" },
        { new CompletedEvent(Start, 1, new AttemptResult(AttemptOutcome.Succeeded, 0, "3")), "completed 1 3" },
        { new CompletedEvent(Start, 1, new AttemptResult(AttemptOutcome.Succeeded, 0)), "completed 1 exit code 0" },
        { new FailedEvent(Start, 1, null, new Problem("AM0323", "exit\ncode 3")), "failed 1 AM0323: exit" },
        { new RetriedEvent(Start, Laptop, FromStart: true), "retried 0 by" },
    };

    [Theory]
    [MemberData(nameof(Events))]
    public void Every_event_is_told_in_words(IJobEvent change, string begins)
    {
        Assert.True(MeshContracts.TryFind(change, out Contract? contract));
        JobHistoryLine line = JobHistoryLine.Read(contract.ManifestOf(change), contract.Write(change), DateTimeOffset.MinValue, device => device == Gpu ? "the gpu" : "?");
        Assert.Equal(Start, line.At);
        Assert.StartsWith(begins, $"{line.What} {line.Attempt} {line.Text}", StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_of_a_newer_version_is_named()
    {
        JobHistoryLine line = JobHistoryLine.Read("job-event.merged.1", [1, 2, 3], Start, _ => "");
        Assert.Equal((Start, "job-event.merged.1"), (line.At, line.What));
    }
}
