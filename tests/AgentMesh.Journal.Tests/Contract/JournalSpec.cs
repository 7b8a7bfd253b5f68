using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;

namespace AgentMesh.Journal.Tests.Contract;

/// <summary>The contract of an Akka.Persistence journal; what a new one must pass.</summary>
public abstract class JournalSpec : IDisposable
{
    private protected const string Id = "job/h/1";
    private readonly Lazy<ActorSystem> _system;

    protected JournalSpec() => _system = new Lazy<ActorSystem>(() => ActorSystem.Create(
        "journal-" + Guid.NewGuid().ToString("N")[..8],
        ConfigurationFactory.ParseString(Hocon + TextSerializer.Hocon + "\nakka.loglevel = ERROR\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off")));

    /// <summary>Configures the journal as the default one.</summary>
    protected abstract string Hocon { get; }

    protected ActorSystem System => _system.Value;

    private protected IActorRef Journal => Akka.Persistence.Persistence.Instance.Apply(System).JournalFor(string.Empty);

    public virtual void Dispose()
    {
        if (_system.IsValueCreated)
        {
            System.Terminate().Wait(TimeSpan.FromSeconds(20));
        }

        GC.SuppressFinalize(this);
    }

    [SkippableFact]
    public void Answers_a_batch_first_and_then_each_event_in_order_with_its_sender()
    {
        Inbox inbox = new(System);
        IActorRef sender = new Inbox(System).Ref;
        Journal.Tell(new WriteMessages([One(Id, 1, sender), One(Id, 2)], inbox.Ref, 42));
        inbox.Take<WriteMessagesSuccessful>();
        (WriteMessageSuccess first, IActorRef from) = inbox.TakeWithSender<WriteMessageSuccess>();
        Assert.Equal((1L, 42), (first.Persistent.SequenceNr, first.ActorInstanceId));
        Assert.Equal(sender, from);
        Assert.Equal(2, inbox.Take<WriteMessageSuccess>().Persistent.SequenceNr);
    }

    [SkippableFact]
    public void Answers_the_batches_of_an_actor_in_the_order_of_its_requests()
    {
        Inbox inbox = new(System);
        for (int i = 1; i <= 50; i++)
        {
            Journal.Tell(new WriteMessages([One(Id, i)], inbox.Ref, 1));
        }

        for (int i = 1; i <= 50; i++)
        {
            inbox.Take<WriteMessagesSuccessful>();
            Assert.Equal(i, inbox.Take<WriteMessageSuccess>().Persistent.SequenceNr);
        }
    }

    [SkippableFact]
    public void Replays_payload_number_and_writer()
    {
        Write(Id, 1, 3);
        Inbox inbox = Replay(Id, 1, long.MaxValue, long.MaxValue);
        IPersistentRepresentation first = inbox.Take<ReplayedMessage>().Persistent;
        Assert.Equal((Id, 1L, "w"), (first.PersistenceId, first.SequenceNr, first.WriterGuid));
        Assert.Equal(new Text("e1"), first.Payload);
        Assert.Equal(2, inbox.Take<ReplayedMessage>().Persistent.SequenceNr);
        Assert.Equal(3, inbox.Take<ReplayedMessage>().Persistent.SequenceNr);
        Assert.Equal(3, inbox.Take<RecoverySuccess>().HighestSequenceNr);
    }

    [SkippableTheory]
    [InlineData(1, long.MaxValue, long.MaxValue, "1 2 3 4 5 6 7 8 9 10")]
    [InlineData(8, long.MaxValue, long.MaxValue, "8 9 10")]
    [InlineData(3, 5, long.MaxValue, "3 4 5")]
    [InlineData(3, 3, long.MaxValue, "3")]
    [InlineData(3, 8, 2, "3 4")]
    [InlineData(5, 4, long.MaxValue, "")]
    [InlineData(1, 10, 0, "")]
    [InlineData(11, long.MaxValue, long.MaxValue, "")]
    public void Replay_honours_from_to_and_max_and_always_tells_the_highest_number(long from, long to, long max, string expected)
    {
        Write(Id, 1, 10);
        Assert.Equal((expected, 10L), ReplayNumbers(Id, from, to, max));
    }

    [SkippableFact]
    public void An_unknown_persistence_id_has_no_events_and_number_0() => Assert.Equal(("", 0L), ReplayNumbers("job/h/none", 1, long.MaxValue, long.MaxValue));

    [SkippableFact]
    public void Persistence_ids_do_not_see_each_other()
    {
        Write(Id, 1, 3);
        Write("job/h/2", 1, 1);
        Assert.Equal(("1 2 3", 3L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
        Assert.Equal(("1", 1L), ReplayNumbers("job/h/2", 1, long.MaxValue, long.MaxValue));
    }

    [SkippableFact]
    public void Deletion_hides_events_and_keeps_the_highest_number()
    {
        Write(Id, 1, 5);
        Delete(Id, 3);
        Assert.Equal(("4 5", 5L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
        Delete(Id, long.MaxValue);
        Assert.Equal(("", 5L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
        Write(Id, 6, 1);
        Assert.Equal(("6", 6L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
    }

    [SkippableFact]
    public void Deleting_from_an_unknown_persistence_id_succeeds() => Delete("job/h/none", 5);

    [SkippableFact]
    public void An_atomic_write_of_several_events_is_answered_event_by_event()
    {
        Inbox inbox = new(System);
        Journal.Tell(new WriteMessages([Several(Id, 1, 4)], inbox.Ref, 1));
        inbox.Take<WriteMessagesSuccessful>();
        for (int i = 1; i <= 4; i++)
        {
            Assert.Equal(i, inbox.Take<WriteMessageSuccess>().Persistent.SequenceNr);
        }

        Assert.Equal(("1 2 3 4", 4L), ReplayNumbers(Id, 1, long.MaxValue, long.MaxValue));
    }

    private protected static AtomicWrite One(string id, long sequence, IActorRef? sender = null, object? payload = null) =>
        new(new Persistent(payload ?? new Text($"e{sequence}"), sequence, id, null!, false, sender!, "w"));

    private protected static AtomicWrite Several(string id, long first, int count, Func<long, object>? payload = null) => new(
        (IImmutableList<IPersistentRepresentation>)Enumerable.Range(0, count)
            .Select(i => (IPersistentRepresentation)new Persistent(payload?.Invoke(first + i) ?? new Text($"e{first + i}"), first + i, id, null!, false, null!, "w"))
            .ToImmutableArray());

    private protected void Write(string id, long first, int count)
    {
        Inbox inbox = new(System);
        Journal.Tell(new WriteMessages([.. Enumerable.Range(0, count).Select(i => One(id, first + i))], inbox.Ref, 1));
        inbox.Take<WriteMessagesSuccessful>();
        for (int i = 0; i < count; i++)
        {
            inbox.Take<WriteMessageSuccess>();
        }
    }

    private protected Inbox Replay(string id, long from, long to, long max)
    {
        Inbox inbox = new(System);
        Journal.Tell(new ReplayMessages(from, to, max, id, inbox.Ref));
        return inbox;
    }

    private protected (string Numbers, long Highest) ReplayNumbers(string id, long from, long to, long max)
    {
        Inbox inbox = Replay(id, from, to, max);
        List<long> numbers = [];
        while (true)
        {
            switch (inbox.Take())
            {
                case ReplayedMessage replayed:
                    numbers.Add(replayed.Persistent.SequenceNr);
                    break;
                case RecoverySuccess success:
                    return (string.Join(' ', numbers), success.HighestSequenceNr);
                case { } other:
                    throw new InvalidOperationException($"unexpected {other}");
            }
        }
    }

    private protected void Delete(string id, long to)
    {
        Inbox inbox = new(System);
        Journal.Tell(new DeleteMessagesTo(id, to, inbox.Ref));
        Assert.Equal(to, inbox.Take<DeleteMessagesSuccess>().ToSequenceNr);
    }
}
