using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Xunit;

namespace AgentMesh.Tests.Persistence;

/// <summary>The answers of a journal, whenever its writes end.</summary>
public sealed class WriteAnswersTests
{
    [Fact]
    public void A_write_that_ends_while_it_is_noted_is_answered_and_so_is_the_next()
    {
        var answers = new WriteAnswers();
        var end = new TaskCompletionSource<IImmutableList<Exception>?>();

        // The actor's path is read when its writes are looked up: the first write ends just then.
        var actor = new Recorder(() => end.TrySetResult(null));
        answers.Add(Request(actor, 1), end.Task);
        answers.Add(Request(actor, 2), Task.FromResult<IImmutableList<Exception>?>(null));
        Assert.Equal([1L, 2L], actor.Stored);
    }

    private static WriteMessages Request(IActorRef actor, long sequence) => new([new AtomicWrite(new Persistent("e", sequence, "p"))], actor, 1);

    private sealed class Recorder(Action onLookedUp) : MinimalActorRef
    {
        private readonly ActorPath _path = new RootActorPath(new Address("akka", "test")) / "recorder";

        public List<long> Stored { get; } = [];

        public override ActorPath Path
        {
            get
            {
                onLookedUp();
                return _path;
            }
        }

        public override IActorRefProvider Provider => throw new NotSupportedException();

        protected override void TellInternal(object message, IActorRef sender)
        {
            if (message is WriteMessageSuccess success)
            {
                Stored.Add(success.Persistent.SequenceNr);
            }
        }
    }
}
