using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch.MessageQueues;

namespace Akka.Dispatch;

/// <summary>Makes the queues of mailboxes; named by <c>mailbox-type</c> and created with the settings and its section.</summary>
public abstract class MailboxType
{
    protected readonly Settings Settings;

    protected readonly Config Config;

    protected MailboxType(Settings settings, Config config)
    {
        Settings = settings;
        Config = config;
    }

    public abstract IMessageQueue Create(IActorRef owner, ActorSystem system);
}

public sealed class UnboundedMailbox : MailboxType, IProducesMessageQueue<UnboundedMessageQueue>
{
    public UnboundedMailbox()
        : this(null!, null!)
    {
    }

    public UnboundedMailbox(Settings settings, Config config)
        : base(settings, config)
    {
    }

    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => new UnboundedMessageQueue();
}

public sealed class UnboundedDequeBasedMailbox : MailboxType, IProducesMessageQueue<UnboundedDequeMessageQueue>
{
    public UnboundedDequeBasedMailbox(Settings settings, Config config)
        : base(settings, config)
    {
    }

    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => new UnboundedDequeMessageQueue();
}

/// <summary>Room for <c>mailbox-capacity</c> messages; a sender waits up to <c>mailbox-push-timeout-time</c>.</summary>
public sealed class BoundedMailbox : MailboxType, IProducesMessageQueue<BoundedMessageQueue>, IProducesPushTimeoutSemanticsMailbox
{
    public BoundedMailbox(Settings settings, Config config)
        : base(settings, config)
    {
        Capacity = BoundedSettings.Capacity(config, nameof(BoundedMailbox));
        PushTimeout = BoundedSettings.PushTimeout(config);
    }

    public int Capacity { get; }

    public TimeSpan PushTimeout { get; }

    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => new BoundedMessageQueue(Capacity, PushTimeout);
}

/// <summary>As <see cref="BoundedMailbox"/>, with a front for stashes.</summary>
public class BoundedDequeBasedMailbox : MailboxType, IProducesMessageQueue<BoundedDequeMessageQueue>, IProducesPushTimeoutSemanticsMailbox
{
    public BoundedDequeBasedMailbox(Settings settings, Config config)
        : base(settings, config)
    {
        Capacity = BoundedSettings.Capacity(config, nameof(BoundedDequeBasedMailbox));
        PushTimeout = BoundedSettings.PushTimeout(config);
    }

    public int Capacity { get; }

    public TimeSpan PushTimeout { get; }

    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => new BoundedDequeMessageQueue(Capacity, PushTimeout);
}

/// <summary>The message with the lowest <see cref="PriorityGenerator"/> first.</summary>
public abstract class UnboundedPriorityMailbox : MailboxType, IProducesMessageQueue<UnboundedPriorityMessageQueue>
{
    public const int DefaultCapacity = 11;

    protected UnboundedPriorityMailbox(Settings settings, Config config)
        : base(settings, config) => InitialCapacity = DefaultCapacity;

    public int InitialCapacity { get; }

    public sealed override IMessageQueue Create(IActorRef owner, ActorSystem system) => new UnboundedPriorityMessageQueue(PriorityGenerator, InitialCapacity);

    protected abstract int PriorityGenerator(object message);
}

/// <summary>The message with the lowest <see cref="PriorityGenerator"/> first; equal ones keep their order.</summary>
public abstract class UnboundedStablePriorityMailbox : MailboxType, IProducesMessageQueue<UnboundedStablePriorityMessageQueue>
{
    public const int DefaultCapacity = 11;

    protected UnboundedStablePriorityMailbox(Settings settings, Config config)
        : base(settings, config) => InitialCapacity = DefaultCapacity;

    public int InitialCapacity { get; }

    public sealed override IMessageQueue Create(IActorRef owner, ActorSystem system) => new UnboundedStablePriorityMessageQueue(PriorityGenerator, InitialCapacity);

    protected abstract int PriorityGenerator(object message);
}

internal static class BoundedSettings
{
    public static int Capacity(Config config, string type)
    {
        int capacity = config.GetInt("mailbox-capacity");
        return capacity > 0 ? capacity : throw new ConfigurationException($"mailbox-capacity of a {type} must be positive, not {capacity}");
    }

    public static TimeSpan PushTimeout(Config config) => config.GetTimeSpan("mailbox-push-timeout-time", Timeout.InfiniteTimeSpan);
}
