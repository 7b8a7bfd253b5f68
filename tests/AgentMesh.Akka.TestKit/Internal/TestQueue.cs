namespace Akka.TestKit.Internal;

/// <summary>The messages of one test actor in the order of their arrival, with one reader that waits with or without a thread.</summary>
internal sealed class TestQueue
{
    private readonly Queue<MessageEnvelope> _messages = new();
    private readonly SemaphoreSlim _count = new(0);

    public bool HasMessages => _count.CurrentCount > 0;

    public void Add(MessageEnvelope message)
    {
        lock (_messages)
            _messages.Enqueue(message);
        _count.Release();
    }

    /// <param name="remove">False leaves the message where it is.</param>
    /// <param name="blocking">True never gives the thread back: the task is complete on return.</param>
    /// <returns>Null when nothing came in time.</returns>
    public async ValueTask<MessageEnvelope?> Next(TimeSpan timeout, bool remove, bool blocking, CancellationToken cancellation)
    {
        bool arrived = blocking ? _count.Wait(timeout, cancellation) : await _count.WaitAsync(timeout, cancellation);
        if (!arrived)
            return null;
        lock (_messages)
        {
            if (remove)
                return _messages.Dequeue();
            _count.Release();
            return _messages.Peek();
        }
    }
}
