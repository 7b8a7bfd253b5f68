using Akka.Actor;

namespace Akka.Dispatch;

/// <summary>What a message queue offers, so that an actor class can require it.</summary>
public interface ISemantics
{
}

public interface IMultipleConsumerSemantics : ISemantics
{
}

public interface IUnboundedMessageQueueSemantics : ISemantics
{
}

/// <summary>A sender waits up to <see cref="PushTimeOut"/> for room, then the message becomes a dead letter.</summary>
public interface IBoundedMessageQueueSemantics : ISemantics
{
    TimeSpan PushTimeOut { get; }
}

/// <summary>Messages can be put back at the front; stashes need it.</summary>
public interface IDequeBasedMessageQueueSemantics : ISemantics
{
    void EnqueueFirst(Envelope envelope);
}

public interface IUnboundedDequeBasedMessageQueueSemantics : IDequeBasedMessageQueueSemantics, IUnboundedMessageQueueSemantics
{
}

public interface IBoundedDequeBasedMessageQueueSemantics : IDequeBasedMessageQueueSemantics, IBoundedMessageQueueSemantics
{
}

public interface IBlockingMessageQueueSemantics : IMultipleConsumerSemantics
{
    TimeSpan BlockTimeOut { get; set; }
}

/// <summary>Put on an actor class: its mailbox must have a queue with semantics <typeparamref name="T"/>.</summary>
public interface IRequiresMessageQueue<T>
    where T : ISemantics
{
}

/// <summary>Put on a mailbox type: the queues it creates.</summary>
public interface IProducesMessageQueue<TQueue>
    where TQueue : class
{
}

public interface IProducesPushTimeoutSemanticsMailbox
{
    TimeSpan PushTimeout { get; }
}
