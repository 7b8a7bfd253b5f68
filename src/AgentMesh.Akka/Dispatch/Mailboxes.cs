using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.Util.Internal;

namespace Akka.Dispatch;

/// <summary>Finds the mailbox type for an actor: what its props say, what its class requires, what its dispatcher says, the default, in this order.</summary>
public class Mailboxes
{
    public static readonly string DefaultMailboxId = "akka.actor.default-mailbox";

    public static readonly string NoMailboxRequirement = string.Empty;

    private readonly ActorSystem _system;
    private readonly Dictionary<Type, string> _requirements = [];
    private readonly ConcurrentDictionary<string, MailboxType> _types = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Type, Type> _required = new();

    /// <summary>By the ids of dispatcher and mailbox: an actor with a stash asks when it is made, and the settings do not change.</summary>
    private readonly ConcurrentDictionary<(string? Dispatcher, string? Mailbox), int> _stashCapacities = new();
    private readonly MailboxType _default;

    public Mailboxes(ActorSystem system)
    {
        _system = system;
        Config requirements = system.Settings.Config.GetConfig("akka.actor.mailbox.requirements");
        foreach (KeyValuePair<string, Configuration.Hocon.HoconValue> entry in requirements?.AsEnumerable() ?? [])
            _requirements[TypeResolver.Get(entry.Key, "akka.actor.mailbox.requirements")] = entry.Value.GetString()!;
        DeadLetterMailbox = new DeadLetterMailbox(system.DeadLetters);
        _default = Lookup(DefaultMailboxId);
    }

    public DeadLetterMailbox DeadLetterMailbox { get; }

    public bool HasRequiredType(Type actorType) => GetRequiredType(actorType) is not null;

    /// <returns>The semantics the class asks for with <see cref="IRequiresMessageQueue{T}"/>; null when it asks for none.</returns>
    public Type GetRequiredType(Type actorType)
    {
        Type found = _required.GetOrAdd(actorType, static type =>
            type.GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRequiresMessageQueue<>))?.GetGenericArguments()[0] ?? typeof(void));
        return found == typeof(void) ? null! : found;
    }

    public bool ProducesMessageQueue(Type mailboxType) => QueueOf(mailboxType) is not null;

    public MailboxType LookupByQueueType(Type queueType) =>
        _requirements.TryGetValue(queueType, out string? id)
            ? Lookup(id)
            : throw new ConfigurationException($"akka.actor.mailbox.requirements names no mailbox for {queueType.FullName}");

    /// <exception cref="ConfigurationException">No such section, or it names no usable type.</exception>
    public MailboxType Lookup(string id) => _types.GetOrAdd(id, Create);

    public MailboxType GetMailboxType(Props props, Config dispatcherConfig)
    {
        Type required = GetRequiredType(props.Type);
        if (!string.IsNullOrEmpty(props.Mailbox) && props.Mailbox != DefaultMailboxId)
            return Check(Lookup(props.Mailbox), required, props);
        string ofDispatcher = dispatcherConfig?.GetString("mailbox-type", string.Empty) ?? string.Empty;
        if (ofDispatcher.Length > 0)
            return Check(Lookup(dispatcherConfig!.GetString("id", string.Empty)), required, props);
        if (required is not null)
            return LookupByQueueType(required);
        return _default;
    }

    public int StashCapacity(string dispatcher, string mailbox) =>
        _stashCapacities.GetOrAdd((dispatcher, mailbox), static (ids, self) => self.ReadStashCapacity(ids.Dispatcher, ids.Mailbox), this);

    private int ReadStashCapacity(string? dispatcher, string? mailbox)
    {
        int ofMailbox = string.IsNullOrEmpty(mailbox) ? 0 : _system.Settings.Config.GetInt(mailbox + ".stash-capacity");
        if (ofMailbox != 0)
            return ofMailbox;
        int ofDispatcher = string.IsNullOrEmpty(dispatcher) ? 0 : _system.Settings.Config.GetInt(dispatcher + ".stash-capacity");
        return ofDispatcher != 0 ? ofDispatcher : _system.Settings.Config.GetInt(DefaultMailboxId + ".stash-capacity", -1);
    }

    private static Type? QueueOf(Type mailboxType) =>
        mailboxType.GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IProducesMessageQueue<>))?.GetGenericArguments()[0];

    private static MailboxType Check(MailboxType type, Type? required, Props props)
    {
        Type? queue = QueueOf(type.GetType());
        if (required is not null && queue is not null && !required.IsAssignableFrom(queue))
            throw new ArgumentException($"{type.GetType().Name} gives {props.Type.Name} a queue of type {queue.Name}, but the actor requires {required.Name}");
        return type;
    }

    private MailboxType Create(string id)
    {
        if (id == "unbounded")
            return new UnboundedMailbox();
        Config config = _system.Settings.Config.GetConfig(id);
        if (config is null || config.IsEmpty)
            throw new ConfigurationException($"Mailbox type [{id}] not configured");
        string typeName = config.GetString("mailbox-type", string.Empty);
        if (typeName.Length == 0)
            throw new ConfigurationException($"The setting mailbox-type, defined in [{id}], is empty");
        Config withDefaults = config.WithFallback(_system.Settings.Config.GetConfig(DefaultMailboxId));
        return TypeResolver.Create<MailboxType>(typeName, id + ".mailbox-type", _system.Settings, withDefaults);
    }
}
