using Akka.Actor;
using Akka.TestKit.Internal;
using Akka.Util;

namespace Akka.TestKit;

/// <summary>What the actor behind a test kit or probe understands beside the messages it keeps for the test.</summary>
public static class TestActor
{
    public delegate bool Ignore(object message);

    public static AutoPilot KeepRunning => TestKit.KeepRunning.Instance;

    public static AutoPilot NoAutoPilot => TestKit.NoAutoPilot.Instance;

    public static NullMessageEnvelope NullMessage => NullMessageEnvelope.Instance;

    /// <summary>Messages for which it says true never reach the test; null ends that.</summary>
    public class SetIgnore : INoSerializationVerificationNeeded
    {
        public SetIgnore(Ignore ignore) => Ignore = ignore;

        public Ignore Ignore { get; }
    }

    public class SetAutoPilot : INoSerializationVerificationNeeded
    {
        public SetAutoPilot(AutoPilot autoPilot) => AutoPilot = autoPilot;

        public AutoPilot AutoPilot { get; }
    }

    public class Watch : INoSerializationVerificationNeeded
    {
        public Watch(IActorRef actorToWatch) => Actor = actorToWatch;

        public IActorRef Actor { get; }
    }

    public class Unwatch : INoSerializationVerificationNeeded
    {
        public Unwatch(IActorRef actorToUnwatch) => Actor = actorToUnwatch;

        public IActorRef Actor { get; }
    }

    /// <summary>Makes a child of the test actor; answered with its reference.</summary>
    public class Spawn : INoSerializationVerificationNeeded
    {
        public readonly Props _props;
        public readonly Option<string> _name;
        public readonly Option<SupervisorStrategy> _supervisorStrategy;

        public Spawn(Props props, Option<string> name, Option<SupervisorStrategy> supervisorStrategy)
        {
            _props = props;
            _name = name;
            _supervisorStrategy = supervisorStrategy;
        }

        public IActorRef Apply(IActorRefFactory context) => context.ActorOf(_props, _name.HasValue ? _name.Value : null!);
    }

    /// <summary>Runs as the test actor; completes when it has run.</summary>
    internal sealed record Do(Action<IActorContext> Work, TaskCompletionSource Done) : INoSerializationVerificationNeeded;

    internal sealed class Recorder : ActorBase
    {
        private readonly TestQueue _queue;
        private readonly DelegatingSupervisorStrategy _strategies = new();
        private Ignore? _ignore;
        private AutoPilot _pilot = TestKit.NoAutoPilot.Instance;

        public Recorder(TestQueue queue) => _queue = queue;

        protected override SupervisorStrategy SupervisorStrategy() => _strategies;

        protected override bool Receive(object message)
        {
            switch (message)
            {
                case SetIgnore set:
                    _ignore = set.Ignore;
                    break;
                case SetAutoPilot set:
                    _pilot = set.AutoPilot;
                    break;
                case Watch watch:
                    Context.Watch(watch.Actor);
                    break;
                case Unwatch unwatch:
                    Context.Unwatch(unwatch.Actor);
                    break;
                case Do work:
                    work.Work(Context);
                    work.Done.SetResult();
                    break;
                case Spawn spawn:
                    IActorRef child = spawn.Apply(Context);
                    if (spawn._supervisorStrategy.HasValue)
                        _strategies.Update(child, spawn._supervisorStrategy.Value);
                    Sender.Tell(child);
                    break;
                default:
                    Keep(message);
                    break;
            }

            return true;
        }

        private void Keep(object message)
        {
            AutoPilot next = _pilot.Run(Sender, message);
            _pilot = next is KeepRunning ? _pilot : next;
            if (_ignore?.Invoke(message) != true)
                _queue.Add(new RealMessageEnvelope(message, Sender));
        }
    }
}
