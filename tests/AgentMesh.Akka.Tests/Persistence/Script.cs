using Akka.Actor;
using Akka.Persistence;

namespace AgentMesh.Tests.Persistence;

/// <summary>Runs code inside of the actor.</summary>
internal sealed record Run(Action<ScriptActor> Code);

internal sealed record RunAsync(Func<ScriptActor, Task> Code);

/// <summary>Answered in its turn with the same text, to see when a command is handled.</summary>
internal sealed record Mark(string Text);

/// <summary>A persistent actor that does what a test sends, and reports what happens to it in order.</summary>
internal sealed class ScriptActor : ReceivePersistentActor
{
    private readonly Log _log;
    private readonly ScriptOptions _options;

    public ScriptActor(string id, Log log, ScriptOptions options)
    {
        PersistenceId = id;
        _log = log;
        _options = options;
        Recover<SnapshotOffer>(o => Report($"offer {o.Snapshot}@{o.Metadata.SequenceNr}"));
        Recover<string>(e =>
        {
            Report($"replay {e}");
            options.OnReplay?.Invoke(this, e);
        });
        Recover<RecoveryCompleted>(_ =>
        {
            Report($"completed at {LastSequenceNr}");
            options.OnCompleted?.Invoke(this);
        });
        Command<Run>(r => r.Code(this));
        CommandAsync<RunAsync>(r => r.Code(this));
        Command<Mark>(m => Report(m.Text));
        Command<SaveSnapshotSuccess>(m => Report($"saved {m.Metadata.SequenceNr}"));
        Command<SaveSnapshotFailure>(m => Report($"not saved {m.Cause.GetType().Name}"));
        Command<LoadSnapshotResult>(m => Report($"loaded {m.Snapshot?.Snapshot}"));
        Command<DeleteMessagesSuccess>(m => Report($"deleted to {m.ToSequenceNr}"));
        Command<DeleteMessagesFailure>(m => Report($"not deleted {m.Cause.Message}"));
        Command<DeleteSnapshotSuccess>(m => Report($"deleted snapshot {m.Metadata.SequenceNr}"));
        Command<DeleteSnapshotsSuccess>(_ => Report("deleted snapshots"));
    }

    public override string PersistenceId { get; }

    public override Recovery Recovery => _options.Recovery;

    public override IStashOverflowStrategy InternalStashOverflowStrategy => _options.Overflow ?? base.InternalStashOverflowStrategy;

    public IActorRef Caller => Sender;

    public IActorContext Cell => Context;

    public void Report(string text) => _log.Add(text);

    public void P(string e, Action<string>? then = null) => Persist(e, Handled(then));

    public void PAsync(string e, Action<string>? then = null) => PersistAsync(e, Handled(then));

    public void PAll(params string[] events) => PersistAll(events, Handled(null));

    public void PAllAsync(params string[] events) => PersistAllAsync(events, Handled(null));

    public void D(string e) => DeferAsync(e, x => Report($"deferred {x}"));

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) => Report($"failure {@event}@{sequenceNr} {cause.Message}");

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) => Report($"rejected {@event}@{sequenceNr} {cause.Message}");

    protected override void OnRecoveryFailure(Exception reason, object? message = null) => Report($"recovery failure {reason.GetType().Name} {reason.Message} {message}".TrimEnd());

    protected override void PreRestart(Exception reason, object message)
    {
        Report($"restart {reason.Message}");
        base.PreRestart(reason, message);
    }

    protected override void PostStop() => Report("stopped");

    private Action<string> Handled(Action<string>? then) => e =>
    {
        Report($"stored {e}@{LastSequenceNr}");
        then?.Invoke(e);
    };
}

internal sealed class ScriptOptions
{
    public Recovery Recovery { get; init; } = Recovery.Default;

    public IStashOverflowStrategy? Overflow { get; init; }

    public Action<ScriptActor, string>? OnReplay { get; init; }

    public Action<ScriptActor>? OnCompleted { get; init; }
}
