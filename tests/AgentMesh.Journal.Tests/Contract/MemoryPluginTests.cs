namespace AgentMesh.Journal.Tests.Contract;

public sealed class MemoryJournalTests : JournalSpec
{
    protected override string Hocon => """akka.persistence.journal.plugin = "akka.persistence.journal.inmem" """ + "\n";
}

public sealed class MemorySnapshotStoreTests : SnapshotStoreSpec
{
    protected override string Hocon => """akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem" """ + "\n";
}
