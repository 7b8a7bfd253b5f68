using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>Answers writes when they end: in the order of the requests for each actor, independently of other actors.</summary>
internal sealed class WriteAnswers
{
    private readonly Lock _gate = new();
    private readonly Dictionary<IActorRef, Queue<(WriteMessages Request, Task<IImmutableList<Exception>?> Writing)>> _open = [];

    public void Add(WriteMessages request, Task<IImmutableList<Exception>?> writing)
    {
        // Asked once: a write that ends between two looks would be answered here and wait in its queue for ever.
        bool isDone = writing.IsCompleted;
        lock (_gate)
        {
            if (_open.TryGetValue(request.PersistentActor, out Queue<(WriteMessages, Task<IImmutableList<Exception>?>)>? queue))
            {
                queue.Enqueue((request, writing));
                return;
            }

            if (!isDone)
            {
                queue = new Queue<(WriteMessages, Task<IImmutableList<Exception>?>)>(1);
                queue.Enqueue((request, writing));
                _open.Add(request.PersistentActor, queue);
            }
        }

        if (isDone)
        {
            Answer(request, writing);
        }
        else
        {
            AnswerWhenDone(request.PersistentActor, writing);
        }
    }

    private void AnswerWhenDone(IActorRef actor, Task writing) =>
        _ = writing.ContinueWith(_ => AnswerHead(actor), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void AnswerHead(IActorRef actor)
    {
        while (true)
        {
            Queue<(WriteMessages Request, Task<IImmutableList<Exception>?> Writing)> queue;
            (WriteMessages Request, Task<IImmutableList<Exception>?> Writing) head;
            lock (_gate)
            {
                queue = _open[actor];
                head = queue.Peek();
            }

            Answer(head.Request, head.Writing);
            lock (_gate)
            {
                queue.Dequeue();
                if (!queue.TryPeek(out head))
                {
                    _open.Remove(actor);
                    return;
                }
            }

            if (!head.Writing.IsCompleted)
            {
                AnswerWhenDone(actor, head.Writing);
                return;
            }
        }
    }

    private static void Answer(WriteMessages request, Task<IImmutableList<Exception>?> writing)
    {
        IActorRef actor = request.PersistentActor;
        int id = request.ActorInstanceId;
        int writes = request.Messages.Count(m => m is AtomicWrite);
        (Exception? failure, IImmutableList<Exception>? rejections) = Outcome(writing, writes);
        actor.Tell(failure is null ? WriteMessagesSuccessful.Of(id) : new WriteMessagesFailed(failure, writes) { ActorInstanceId = id }, ActorRefs.NoSender);

        int n = 0;
        foreach (IPersistentEnvelope envelope in request.Messages)
        {
            if (envelope is not AtomicWrite write)
            {
                actor.Tell(new LoopMessageSuccess(envelope.Payload, id), envelope.Sender);
                continue;
            }

            Exception? rejection = rejections?[n];
            n++;
            foreach (IPersistentRepresentation e in write.Events)
            {
                object answer = failure is not null ? new WriteMessageFailure(e, failure, id)
                    : rejection is not null ? new WriteMessageRejected(e, rejection, id)
                    : new WriteMessageSuccess(e, id);
                actor.Tell(answer, e.Sender);
            }
        }
    }

    private static (Exception? Failure, IImmutableList<Exception>? Rejections) Outcome(Task<IImmutableList<Exception>?> writing, int writes)
    {
        if (writing.IsCanceled)
        {
            return (new OperationCanceledException("the journal cancelled the write"), null);
        }

        if (writing.Exception is { } exception)
        {
            return (exception.InnerExceptions.Count == 1 ? exception.InnerExceptions[0] : exception, null);
        }

        IImmutableList<Exception>? rejections = writing.Result;
        return rejections is { Count: > 0 } && rejections.Count != writes
            ? (new InvalidOperationException($"the journal answered {rejections.Count} results for {writes} writes"), null)
            : (null, rejections is { Count: > 0 } ? rejections : null);
    }
}
