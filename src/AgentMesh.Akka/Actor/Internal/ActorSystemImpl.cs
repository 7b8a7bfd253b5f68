using System.Text;
using System.Text.RegularExpressions;
using AgentMesh.Engine;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.Util;
using Akka.Util.Internal;

namespace Akka.Actor.Internal;

/// <summary>The actor system: puts the parts together, starts them in order and takes them down in the opposite one.</summary>
public partial class ActorSystemImpl : ExtendedActorSystem
{
    private readonly ExtensionTable _extensions;
    private readonly Stack<Action> _terminationCallbacks = new();
    private readonly TaskCompletionSource _terminated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _terminating;

    public ActorSystemImpl(string name)
        : this(name, ConfigurationFactory.Load(), ActorSystemSetup.Empty, Option<Props>.None)
    {
    }

    /// <param name="guardianProps">Another actor for /user.</param>
    /// <exception cref="ArgumentException">The name is not one word of letters, digits and hyphens.</exception>
    public ActorSystemImpl(string name, Config config, ActorSystemSetup setup, Option<Props>? guardianProps = null)
    {
        if (!ValidName().IsMatch(name ?? string.Empty))
            throw new ArgumentException($"'{name}' cannot name an actor system: only ASCII letters, digits and, not in front, - and _", nameof(name));
        Name = name!;
        GuardianProps = guardianProps ?? Option<Props>.None;
        Settings = new Settings(this, config ?? Config.Empty, setup);
        EventStream = new EventStream(Settings.DebugEventStream);
        EventStream.StartStdoutLogger(Settings);
        Log = Logging.GetLogger(EventStream, $"ActorSystem({Name})");
        Scheduler = MakeScheduler();
        StartTime = Scheduler.MonotonicClock;
        Provider = TypeResolver.Create<IActorRefProvider>(Settings.ProviderClass, "akka.actor.provider", Name, Settings, EventStream);
        Serialization = new Serialization.Serialization(this);
        Mailboxes = new Mailboxes(this);
        Dispatchers = new Dispatchers(this, new DefaultDispatcherPrerequisites(EventStream, Scheduler, Settings, Mailboxes), Log);
        _extensions = new ExtensionTable(this);
    }

    public Option<Props> GuardianProps { get; }

    public override string Name { get; }

    public override Settings Settings { get; }

    public override EventStream EventStream { get; }

    public override ILoggingAdapter Log { get; }

    public override IScheduler Scheduler { get; }

    public override IActorRefProvider Provider { get; }

    public override Serialization.Serialization Serialization { get; }

    public override Mailboxes Mailboxes { get; }

    public override Dispatchers Dispatchers { get; }

    public override IActorRef DeadLetters => Provider.DeadLetters;

    public override IActorRef IgnoreRef => Provider.IgnoreRef;

    public override IInternalActorRef Guardian => Provider.Guardian;

    public override IInternalActorRef LookupRoot => Provider.Guardian;

    public override IInternalActorRef SystemGuardian => Provider.SystemGuardian;

    public override Task WhenTerminated => _terminated.Task;

    internal TimeProvider Clock => Settings.Clock;

    internal AddressTerminatedTopic AddressTerminatedTopic { get; } = new();

    internal bool VerifiesSerialization => Settings.SerializeAllMessages;

    /// <summary>Starts the actors of the system itself. Once.</summary>
    public void Start()
    {
        try
        {
            Provider.Init(this);
            EventStream.StartLoggers(this);
            if (Settings.LogDeadLetters > 0)
                SystemActorOf(Props.Create<DeadLetterListener>(), "deadLetterListener");
            CoordinatedShutdown.Get(this);
            LoadExtensions();
            if (Settings.LogConfigOnStart)
                Log.Info(Settings.ToString());
        }
        catch
        {
            _ = FinalTerminate();
            throw;
        }
    }

    public override IActorRef ActorOf(Props props, string name = null!) => Guardian is LocalActorRef guardian
        ? guardian.Cell.AttachChild(props, false, name)
        : throw new InvalidOperationException("The actor system has not been started");

    public override IActorRef SystemActorOf(Props props, string name = null!) => Provider.SystemGuardian.Cell.AttachChild(props, true, name);

    public override IActorRef SystemActorOf<TActor>(string name = null!) => SystemActorOf(Props.Create<TActor>(), name);

    public override ActorSelection ActorSelection(ActorPath actorPath) => ActorRefFactoryShared.ActorSelection(actorPath, this);

    public override ActorSelection ActorSelection(string actorPath) => ActorRefFactoryShared.ActorSelection(actorPath, this, LookupRoot);

    public override object RegisterExtension(IExtensionId extension) => _extensions.GetOrCreate(extension);

    public override object GetExtension(IExtensionId extensionId) => _extensions.GetOrCreate(extensionId);

    public override T GetExtension<T>() => _extensions.TryGet(typeof(T), out object found) ? (T)found : null!;

    public override bool HasExtension(Type type) => _extensions.TryGet(type, out _);

    public override bool HasExtension<T>() => HasExtension(typeof(T));

    public override bool TryGetExtension(Type extensionType, out object extension) => _extensions.TryGet(extensionType, out extension);

    public override bool TryGetExtension<T>(out T extension)
    {
        bool found = _extensions.TryGet(typeof(T), out object present);
        extension = (T)present;
        return found;
    }

    /// <exception cref="InvalidOperationException">The system has ended already.</exception>
    public override void RegisterOnTermination(Action code)
    {
        lock (_terminationCallbacks)
        {
            if (_terminated.Task.IsCompleted)
                throw new InvalidOperationException("The actor system has ended already");
            _terminationCallbacks.Push(code);
        }
    }

    public override void Stop(IActorRef actor)
    {
        ActorPath parent = actor.Path.Parent;
        if (parent == Guardian.Path)
            Guardian.Tell(new StopChild(actor), ActorRefs.NoSender);
        else if (parent == SystemGuardian.Path)
            SystemGuardian.Tell(new StopChild(actor), ActorRefs.NoSender);
        else
            ((IInternalActorRef)actor).Stop();
    }

    public override Task Terminate()
    {
        if (Settings.CoordinatedShutdownRunByActorSystemTerminate)
            _ = CoordinatedShutdown.Get(this).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
        else
            _ = FinalTerminate();
        return WhenTerminated;
    }

    public override void Abort() => _ = FinalTerminate();

    public override string PrintTree()
    {
        var text = new StringBuilder();
        Print(Provider.RootGuardian, 0, text);
        return text.ToString();
    }

    public override string ToString() => Provider?.RootPath.Address.ToString() ?? Name;

    /// <summary>Identifies the incarnation of an actor: not 0, and not likely to come twice under one name.</summary>
    internal long NextUid() => Settings.Random.NextInt64(1, int.MaxValue);

    internal Task FinalTerminate()
    {
        if (Interlocked.Exchange(ref _terminating, 1) != 0)
            return WhenTerminated;
        Log.Debug("System shutdown initiated");
        if (!Settings.LogDeadLettersDuringShutdown && Provider.SystemGuardian is { } system)
        {
            if (system.GetSingleChild("deadLetterListener") is { } listener && !listener.IsNobody())
                Stop(listener);
        }

        if (Provider.Guardian is null)
            Release();
        else
        {
            EventStream.StopLoggers(this);
            _ = Provider.TerminationTask.ContinueWith(_ => Release(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            Provider.Guardian.Stop();
        }

        return WhenTerminated;
    }

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_-]*$", RegexOptions.None, 1000)]
    private static partial Regex ValidName();

    private static void Print(IInternalActorRef actor, int depth, StringBuilder text)
    {
        text.Append(' ', depth * 2).Append(actor.Path.Depth == 0 ? actor.Path.ToString() : actor.Path.Name);
        if (actor is LocalActorRef local)
            text.Append(" [").Append(local.Cell.Props.Type.Name).Append(", ").Append(local.Cell.NumberOfMessages).Append(" messages]");
        text.AppendLine();
        foreach (IActorRef child in actor is ActorRefWithCell withCell ? withCell.Children : [])
            Print((IInternalActorRef)child, depth + 1, text);
    }

    private IScheduler MakeScheduler()
    {
        Type type = TypeResolver.Get(Settings.SchedulerClass, "akka.scheduler.implementation");
        return type == typeof(HashedWheelTimerScheduler)
            ? new HashedWheelTimerScheduler(Settings.Config, Log, Clock)
            : TypeResolver.Create<IScheduler>(Settings.SchedulerClass, "akka.scheduler.implementation", Settings.Config, Log);
    }

    private void LoadExtensions()
    {
        foreach (string typeName in Settings.Config.GetStringList("akka.extensions"))
            RegisterExtension(TypeResolver.Create<IExtensionId>(typeName, "akka.extensions"));
    }

    /// <summary>All actors have ended.</summary>
    private void Release()
    {
        while (true)
        {
            Action? callback;
            lock (_terminationCallbacks)
            {
                if (!_terminationCallbacks.TryPop(out callback))
                    break;
            }

            try
            {
                callback();
            }
            catch (Exception e)
            {
                Log.Error(e, "A termination callback failed");
            }
        }

        (Scheduler as IDisposable)?.Dispose();
        Dispatchers.Shutdown();
        _terminated.TrySetResult();
    }
}
