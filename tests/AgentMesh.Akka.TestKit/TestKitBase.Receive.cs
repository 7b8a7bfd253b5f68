using System.Collections;
using System.Runtime.CompilerServices;

namespace Akka.TestKit;

/// <summary>Taking messages without saying which.</summary>
/// <remarks>Each exists once, with a switch for blocking: a blocking one never leaves its thread, and its task is complete on return.</remarks>
public abstract partial class TestKitBase
{
    /// <returns>Null when nothing came in time.</returns>
    public object ReceiveOne(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        Take(max, remove: true, blocking: true, cancellationToken).GetAwaiter().GetResult()?.Message!;

    /// <inheritdoc cref="ReceiveOne"/>
    public async ValueTask<object> ReceiveOneAsync(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        (await Take(max, remove: true, blocking: false, cancellationToken))?.Message!;

    /// <param name="max">Not stretched.</param>
    public bool TryReceiveOne(out MessageEnvelope envelope, TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        Found(Take(max, remove: true, blocking: true, cancellationToken).GetAwaiter().GetResult(), out envelope);

    /// <inheritdoc cref="TryReceiveOne"/>
    public async ValueTask<(bool success, MessageEnvelope envelope)> TryReceiveOneAsync(TimeSpan? max, CancellationToken cancellationToken = default) =>
        (Found(await Take(max, remove: true, blocking: false, cancellationToken), out MessageEnvelope envelope), envelope);

    /// <summary>The next message, which stays where it is; null when none came in time.</summary>
    public object PeekOne(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        Take(max, remove: false, blocking: true, cancellationToken).GetAwaiter().GetResult()?.Message!;

    public object PeekOne(CancellationToken cancellationToken) => PeekOne(Timeout.InfiniteTimeSpan, cancellationToken);

    public async ValueTask<object> PeekOneAsync(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        (await Take(max, remove: false, blocking: false, cancellationToken))?.Message!;

    public ValueTask<object> PeekOneAsync(CancellationToken cancellationToken) => PeekOneAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    public bool TryPeekOne(out MessageEnvelope envelope, TimeSpan? max, CancellationToken cancellationToken) =>
        Found(Take(max, remove: false, blocking: true, cancellationToken).GetAwaiter().GetResult(), out envelope);

    public async ValueTask<(bool success, MessageEnvelope envelope)> TryPeekOneAsync(TimeSpan? max, CancellationToken cancellationToken) =>
        (Found(await Take(max, remove: false, blocking: false, cancellationToken), out MessageEnvelope envelope), envelope);

    /// <summary>The next so many messages.</summary>
    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages, CancellationToken cancellationToken = default) =>
        TakeMany(numberOfMessages, RemainingOrDefault, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages, TimeSpan max, CancellationToken cancellationToken = default) =>
        TakeMany(numberOfMessages, Dilated(max), blocking: true, cancellationToken).GetAwaiter().GetResult();

    public IAsyncEnumerable<object> ReceiveNAsync(int numberOfMessages, CancellationToken cancellationToken = default) =>
        Each(() => TakeMany(numberOfMessages, RemainingOrDefault, blocking: false, cancellationToken), cancellationToken);

    public IAsyncEnumerable<object> ReceiveNAsync(int numberOfMessages, TimeSpan max, CancellationToken cancellationToken = default) =>
        Each(() => TakeMany(numberOfMessages, Dilated(max), blocking: false, cancellationToken), cancellationToken);

    /// <summary>Takes messages until one fits; those before it are dropped.</summary>
    public object FishForMessage(Predicate<object> isMessage, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        FishForMessage<object>(isMessage, max, hint, cancellationToken);

    public T FishForMessage<T>(Predicate<T> isMessage, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        Fish(isMessage, null, max, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    /// <param name="allMessages">Gets the messages that did not fit.</param>
    public T FishForMessage<T>(Predicate<T> isMessage, ArrayList allMessages, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        Fish(isMessage, allMessages, max, hint, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<object> FishForMessageAsync(Predicate<object> isMessage, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        Fish(isMessage, null, max, hint, blocking: false, cancellationToken);

    public ValueTask<T> FishForMessageAsync<T>(Predicate<T> isMessage, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        Fish(isMessage, null, max, hint, blocking: false, cancellationToken);

    public ValueTask<T> FishForMessageAsync<T>(Predicate<T> isMessage, ArrayList allMessages, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        Fish(isMessage, allMessages, max, hint, blocking: false, cancellationToken);

    private static bool Found(MessageEnvelope? taken, out MessageEnvelope envelope)
    {
        envelope = taken ?? NullMessageEnvelope.Instance;
        return taken is not null;
    }

    private static async IAsyncEnumerable<T> Each<T>(Func<ValueTask<List<T>>> messages, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        foreach (T message in await messages())
            yield return message;
    }

    private async ValueTask<MessageEnvelope?> Take(TimeSpan? max, bool remove, bool blocking, CancellationToken cancellation)
    {
        MessageEnvelope? next = await _queue.Next(GetTimeoutOrDefault(max), remove, blocking, cancellation);
        _lastWasNoMessage = false;
        if (remove || next is null)
            _last = next ?? NullMessageEnvelope.Instance;
        return next;
    }

    private async ValueTask<List<object>> TakeMany(int count, TimeSpan max, bool blocking, CancellationToken cancellation)
    {
        TimeSpan end = Now + max;
        var messages = new List<object>();
        while (messages.Count < count)
        {
            MessageEnvelope? next = await Take(Left(end), remove: true, blocking, cancellation);
            if (next is null)
                _assertions.Fail($"Expected {count} messages within {max}, but got {messages.Count}: {Listed(messages)}");
            messages.Add(next!.Message);
        }

        return messages;
    }

    private async ValueTask<T> Fish<T>(Predicate<T> isMessage, ArrayList? others, TimeSpan? max, string? hint, bool blocking, CancellationToken cancellation)
    {
        TimeSpan limit = RemainingOrDilated(max), end = Now + limit;
        int seen = 0;
        while (await Take(Left(end), remove: true, blocking, cancellation) is { } next)
        {
            if (next.Message is T message && isMessage(message))
                return message;
            others?.Add(next.Message);
            seen++;
        }

        _assertions.Fail($"No {typeof(T).Name} that fits came within {limit}, only {seen} other messages{Note(hint)}");
        return default!;
    }

    private static string Listed<T>(IEnumerable<T> messages) => $"[{string.Join(", ", messages)}]";
}
