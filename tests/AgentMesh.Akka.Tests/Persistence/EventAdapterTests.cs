using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;

namespace AgentMesh.Tests.Persistence;

/// <summary>Stores texts in upper case and returns each as two events, to show both directions.</summary>
internal sealed class DoublingAdapter : IEventAdapter
{
    public string Manifest(object evt) => "upper";

    public object ToJournal(object evt) => ((string)evt).ToUpperInvariant();

    public IEventSequence FromJournal(object evt, string manifest) => EventSequence.Create($"{evt}1", $"{evt}2 {manifest}");
}

public sealed class EventAdapterTests() : PersistenceTest("""
    akka.persistence.journal.faulty {
      event-adapters.doubling = "AgentMesh.Tests.Persistence.DoublingAdapter, AgentMesh.Akka.Tests"
      event-adapter-bindings { "System.String" = doubling }
    }
    """)
{
    [Fact]
    public void Events_are_adapted_to_the_journal_and_back_while_handlers_see_the_original()
    {
        object? written = null;
        Faults.BeforeWrite = events =>
        {
            written = events[0];
            return Task.CompletedTask;
        };
        IActorRef actor = Start("p");
        actor.Tell(new Run(a => a.P("abc")));
        Log.Expect("completed at 0", "stored abc@1");
        Assert.Equal("ABC", written);
        Stop(actor);
        Start("p");
        Log.Expect("replay ABC1", "replay ABC2 upper", "completed at 1");
    }
}

public sealed class ReceivePersistentActorTests() : PersistenceTest()
{
    [Fact]
    public void Handlers_are_tried_in_order_and_Become_replaces_them()
    {
        Log log = Log;
        IActorRef actor = System.ActorOf(Props.Create(() => new Changing(log)));
        foreach (object message in (object[])[5, 50, "text", 1.5, "become", 5, "text", "back", 5])
        {
            actor.Tell(message);
        }

        Log.Expect("small 5", "int 50", "string text", "any 1.5", "become", "other 5", "other text", "small 5");
    }

    [Fact]
    public void Handlers_cannot_be_defined_later()
    {
        Log log = Log;
        IActorRef actor = System.ActorOf(Props.Create(() => new Changing(log)));
        actor.Tell('x');
        Log.Expect("InvalidOperationException");
    }

    private sealed class Changing : ReceivePersistentActor
    {
        public Changing(Log log)
        {
            Command<int>(i => i < 10, i => log.Add($"small {i}"));
            Command<int>(i => log.Add($"int {i}"));
            Command<string>(s => s == "become" ? Switch(log) : false);
            Command(typeof(string), s => log.Add($"string {s}"));
            Command<char>(_ =>
            {
                try
                {
                    Command<long>(_ => { });
                }
                catch (InvalidOperationException e)
                {
                    log.Add(e.GetType().Name);
                }
            });
            CommandAny(o => log.Add(FormattableString.Invariant($"any {o}")));
            RecoverAny(_ => { });
        }

        public override string PersistenceId => "changing";

        private bool Switch(Log log)
        {
            log.Add("become");
            BecomeStacked(() =>
            {
                Command<string>(s => s == "back", _ => UnbecomeStacked());
                CommandAny(o => log.Add($"other {o}"));
            });
            return true;
        }
    }
}
