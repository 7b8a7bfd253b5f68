namespace AgentMesh.Tests.Persistence;

/// <summary>A recovery that is not answered ends.</summary>
public sealed class RecoveryTimeoutTests() : PersistenceTest(recoveryPatience: "300ms")
{
    [Fact]
    public void A_journal_that_does_not_answer_fails_the_recovery_in_time()
    {
        Faults.BeforeReadHighest = () => new TaskCompletionSource().Task;
        Start("p");
        Assert.StartsWith("recovery failure RecoveryTimedOutException", Log.Next("a timed out recovery"), StringComparison.Ordinal);
        Log.Expect("stopped");
    }

    [Fact]
    public void A_snapshot_store_that_does_not_answer_fails_the_recovery_in_time()
    {
        Faults.BeforeSnapshotLoad = () => new TaskCompletionSource().Task;
        Start("p");
        Assert.StartsWith("recovery failure RecoveryTimedOutException", Log.Next("a timed out recovery"), StringComparison.Ordinal);
        Log.Expect("stopped");
    }
}
