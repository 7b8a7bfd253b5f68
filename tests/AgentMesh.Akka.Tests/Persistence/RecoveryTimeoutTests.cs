using Akka.TestKit;

namespace AgentMesh.Tests.Persistence;

/// <summary>A recovery that goes on, however slowly, does not end.</summary>
public sealed class SlowRecoveryTests() : PersistenceTest("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, AgentMesh.Akka.TestKit\"")
{
    [Fact]
    public void A_replay_that_brings_an_event_within_each_timeout_is_waited_for()
    {
        Given("p", "a", "b", "c", "d");
        var time = (TestScheduler)System.Scheduler;

        // The event is in the mailbox before the tick that comes now.
        Faults.AfterReplayed = _ => time.Advance(TimeSpan.FromSeconds(60));
        Start("p");

        Log.Expect("replay a", "replay b", "replay c", "replay d", "completed at 4");
    }
}

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
