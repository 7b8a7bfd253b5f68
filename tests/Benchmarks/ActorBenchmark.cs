using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;

namespace Benchmarks;

/// <summary>
/// The engine alone: tell, ask, persist in memory. The peer of these figures would be the Akka.NET packages; a build with
/// <c>-p:ActorEngine=AkkaNet</c> prints them on a feed that has those.
/// </summary>
internal static class ActorBenchmark
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(3);

    public static async Task RunAsync(Report report)
    {
        report.Part($"actors, local, engine {typeof(ActorSystem).Assembly.GetName().Name}");
        using var system = ActorSystem.Create("bench", ConfigurationFactory.ParseString("akka { loglevel = WARNING, persistence.journal.plugin = \"akka.persistence.journal.inmem\" }"));
        report.Line("tell, ping-pong pairs (2 x cores)", await PingPong(system), null, "msg/s", includes: "both directions counted");
        report.Line("ask, sequential", await Ask(system), null, "asks/s", includes: "one asker");
        report.Line("persist, in-memory journal, 200 actors", await Persist(system), null, "events/s", includes: "each acknowledged by its handler");
        await system.Terminate();
    }

    private static async Task<double> PingPong(ActorSystem system)
    {
        int pairs = Environment.ProcessorCount * 2;
        var stop = new StopFlag();
        var players = Enumerable.Range(0, pairs).Select(i =>
        {
            IActorRef pong = system.ActorOf(Props.Create(() => new Echo()), $"pong-{i}");
            return (Task: new TaskCompletionSource<long>(), Pong: pong);
        }).ToArray();
        var watch = Stopwatch.StartNew();
        foreach ((TaskCompletionSource<long> done, IActorRef pong) in players)
        {
            system.ActorOf(Props.Create(() => new Player(pong, done, stop)));
        }

        await Task.Delay(Duration);
        stop.Requested = true;
        long[] counts = await Task.WhenAll(players.Select(player => player.Task.Task));
        return counts.Sum() / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> Ask(ActorSystem system)
    {
        IActorRef echo = system.ActorOf(Props.Create(() => new Echo()), "ask-echo");
        var watch = Stopwatch.StartNew();
        long count = 0;
        while (watch.Elapsed < Duration)
        {
            for (int i = 0; i < 100; i++)
            {
                await echo.Ask<object>("x", TimeSpan.FromSeconds(10));
            }

            count += 100;
        }

        return count / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> Persist(ActorSystem system)
    {
        const int actors = 200, events = 1000;
        var done = Enumerable.Range(0, actors).Select(_ => new TaskCompletionSource()).ToArray();
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < actors; i++)
        {
            int number = i;
            system.ActorOf(Props.Create(() => new Writer($"writer-{number}", events, done[number]))).Tell("go");
        }

        await Task.WhenAll(done.Select(each => each.Task));
        return actors * (double)events / watch.Elapsed.TotalSeconds;
    }

    private sealed class StopFlag
    {
        public volatile bool Requested;
    }

    private sealed class Echo : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(message);
    }

    private sealed class Player : UntypedActor
    {
        private const int InFlight = 100;

        private readonly IActorRef _pong;
        private readonly TaskCompletionSource<long> _done;
        private readonly StopFlag _stop;
        private long _count;

        public Player(IActorRef pong, TaskCompletionSource<long> done, StopFlag stop)
        {
            _pong = pong;
            _done = done;
            _stop = stop;
        }

        protected override void PreStart()
        {
            for (int i = 0; i < InFlight; i++)
            {
                _pong.Tell("x", Self);
            }
        }

        protected override void OnReceive(object message)
        {
            _count += 2;
            if (_stop.Requested)
            {
                _done.TrySetResult(_count);
            }
            else
            {
                _pong.Tell(message, Self);
            }
        }
    }

    private sealed class Writer : UntypedPersistentActor
    {
        private readonly int _events;
        private readonly TaskCompletionSource _done;
        private int _written;

        public Writer(string id, int events, TaskCompletionSource done)
        {
            PersistenceId = id;
            _events = events;
            _done = done;
        }

        public override string PersistenceId { get; }

        protected override void OnCommand(object message)
        {
            Persist("event", _ =>
            {
                if (++_written == _events)
                {
                    _done.TrySetResult();
                }
                else
                {
                    Self.Tell("go");
                }
            });
        }

        protected override void OnRecover(object message)
        {
        }
    }
}
