using Akka.Actor;

namespace Akka.TestKit;

/// <summary>Expecting one message: it must be the next one, of the type, and fit.</summary>
public abstract partial class TestKitBase
{
    public T ExpectMsg<T>(TimeSpan? duration = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(duration, null, null, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgAsync<T>(TimeSpan? duration = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(duration, null, null, hint, blocking: false, cancellationToken);

    public T ExpectMsg<T>(T message, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, actual => _assertions.AssertEqual(message, actual, hint ?? ""), null, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgAsync<T>(T message, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, actual => _assertions.AssertEqual(message, actual, hint ?? ""), null, hint, blocking: false, cancellationToken);

    public T ExpectMsg<T>(Predicate<T> isMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, Fits(isMessage, hint), null, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgAsync<T>(Predicate<T> isMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, Fits(isMessage, hint), null, hint, blocking: false, cancellationToken);

    public T ExpectMsg<T>(Action<T> assert, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, assert, null, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgAsync<T>(Action<T> assert, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, assert, null, hint, blocking: false, cancellationToken);

    public T ExpectMsg<T>(Func<T, IActorRef, bool> isMessageAndSender, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, message => Fits<T>(one => isMessageAndSender(one, LastSender), hint)(message), null, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgAsync<T>(Func<T, IActorRef, bool> isMessageAndSender, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, message => Fits<T>(one => isMessageAndSender(one, LastSender), hint)(message), null, hint, blocking: false, cancellationToken);

    public T ExpectMsg<T>(Action<T, IActorRef> assertMessageAndSender, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, message => assertMessageAndSender(message, LastSender), null, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgAsync<T>(Action<T, IActorRef> assertMessageAndSender, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, message => assertMessageAndSender(message, LastSender), null, hint, blocking: false, cancellationToken);

    public T ExpectMsg<T>(T expected, Func<T, T, bool> comparer, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, actual => _assertions.AssertEqual(expected, actual, comparer, hint ?? ""), null, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgAsync<T>(T expected, Func<T, T, bool> comparer, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, actual => _assertions.AssertEqual(expected, actual, comparer, hint ?? ""), null, hint, blocking: false, cancellationToken);

    public T ExpectMsgFrom<T>(IActorRef sender, TimeSpan? duration = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(duration, null, From(sender, hint), hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgFromAsync<T>(IActorRef sender, TimeSpan? duration = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(duration, null, From(sender, hint), hint, blocking: false, cancellationToken);

    public T ExpectMsgFrom<T>(IActorRef sender, T message, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, actual => _assertions.AssertEqual(message, actual, hint ?? ""), From(sender, hint), hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgFromAsync<T>(IActorRef sender, T message, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, actual => _assertions.AssertEqual(message, actual, hint ?? ""), From(sender, hint), hint, blocking: false, cancellationToken);

    public T ExpectMsgFrom<T>(IActorRef sender, Predicate<T> isMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, Fits(isMessage, hint), From(sender, hint), hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgFromAsync<T>(IActorRef sender, Predicate<T> isMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, Fits(isMessage, hint), From(sender, hint), hint, blocking: false, cancellationToken);

    public T ExpectMsgFrom<T>(IActorRef sender, Action<T> assertMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, assertMessage, From(sender, hint), hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgFromAsync<T>(IActorRef sender, Action<T> assertMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, assertMessage, From(sender, hint), hint, blocking: false, cancellationToken);

    public T ExpectMsgFrom<T>(Predicate<IActorRef> isSender, Predicate<T> isMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, Fits(isMessage, hint), Fits(isSender, hint), hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgFromAsync<T>(Predicate<IActorRef> isSender, Predicate<T> isMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, Fits(isMessage, hint), Fits(isSender, hint), hint, blocking: false, cancellationToken);

    public T ExpectMsgFrom<T>(Action<IActorRef> assertSender, Action<T> assertMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, assertMessage, assertSender, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgFromAsync<T>(Action<IActorRef> assertSender, Action<T> assertMessage, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, assertMessage, assertSender, hint, blocking: false, cancellationToken);

    /// <summary>The next message is that the actor has ended.</summary>
    public Terminated ExpectTerminated(IActorRef target, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<Terminated>(timeout, Of(target, hint), null, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<Terminated> ExpectTerminatedAsync(IActorRef target, TimeSpan? timeout = null, string hint = null!, CancellationToken cancellationToken = default) =>
        Expect<Terminated>(timeout, Of(target, hint), null, hint, blocking: false, cancellationToken);

    /// <summary>Nothing comes, during what remains of the Within around or the default time.</summary>
    public void ExpectNoMsg(CancellationToken cancellationToken = default) =>
        ExpectNone(RemainingOrDefault, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public void ExpectNoMsg(TimeSpan duration, CancellationToken cancellationToken = default) =>
        ExpectNone(Dilated(duration), blocking: true, cancellationToken).GetAwaiter().GetResult();

    public void ExpectNoMsg(int milliseconds, CancellationToken cancellationToken = default) =>
        ExpectNoMsg(TimeSpan.FromMilliseconds(milliseconds), cancellationToken);

    public ValueTask ExpectNoMsgAsync(CancellationToken cancellationToken = default) =>
        ExpectNone(RemainingOrDefault, blocking: false, cancellationToken);

    public ValueTask ExpectNoMsgAsync(TimeSpan duration, CancellationToken cancellationToken = default) =>
        ExpectNone(Dilated(duration), blocking: false, cancellationToken);

    public ValueTask ExpectNoMsgAsync(int milliseconds, CancellationToken cancellationToken = default) =>
        ExpectNoMsgAsync(TimeSpan.FromMilliseconds(milliseconds), cancellationToken);

    private async ValueTask<T> Expect<T>(TimeSpan? timeout, Action<T>? checkMessage, Action<IActorRef>? checkSender, string? hint, bool blocking, CancellationToken cancellation)
    {
        TimeSpan limit = RemainingOrDilated(timeout);
        MessageEnvelope? next = await Take(limit, remove: true, blocking, cancellation);
        if (next is null)
            _assertions.Fail($"No message came within {limit}; expected {typeof(T)}{Note(hint)}");
        if (next!.Message is not T message)
        {
            _assertions.Fail($"Expected {typeof(T)}, but got {next.Message.GetType()}: {next}{Note(hint)}");
            return default!;
        }

        checkSender?.Invoke(next.Sender);
        checkMessage?.Invoke(message);
        return message;
    }

    private async ValueTask ExpectNone(TimeSpan time, bool blocking, CancellationToken cancellation)
    {
        TimeSpan start = Now;
        MessageEnvelope? next = await Take(time, remove: true, blocking, cancellation);
        if (next is not null)
            _assertions.Fail($"Expected no message for {time}, but after {Now - start} got {next}");
        _lastWasNoMessage = true;
    }

    private Action<T> Fits<T>(Predicate<T> predicate, string? hint) => one =>
        _assertions.AssertTrue(predicate(one), $"{one} does not fit{Note(hint)}");

    private Action<IActorRef> From(IActorRef expected, string? hint) => sender =>
        _assertions.AssertEqual(expected, sender, $"Another sender than expected{Note(hint)}");

    private Action<Terminated> Of(IActorRef target, string? hint) => terminated =>
        _assertions.AssertEqual(target, terminated.ActorRef, $"Another actor ended{Note(hint)}");
}
