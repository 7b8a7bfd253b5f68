using System.Threading.Channels;
using Akka.Actor;

namespace AgentMesh.Mesh.Tests;

/// <summary>The jobs of a home as an entity that begins some sees them: what it tells them is read by the test.</summary>
internal sealed class JobsOfTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<(object Message, IActorRef Asker)> _told = Channel.CreateUnbounded<(object, IActorRef)>();

    public JobsOfTest(ActorSystem system) => Ref = system.ActorOf(Props.Create(() => new Recorder(_told.Writer)));

    public IActorRef Ref { get; }

    public int Waiting => _told.Reader.Count;

    /// <summary>The next message of the type; others before it are dropped.</summary>
    public async Task<(T Message, IActorRef Asker)> Next<T>()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            (object message, IActorRef asker) = await _told.Reader.ReadAsync(limit.Token);
            if (message is T wanted)
            {
                return (wanted, asker);
            }
        }
    }

    public void Forget()
    {
        while (_told.Reader.TryRead(out _))
        {
        }
    }

    private sealed class Recorder : ReceiveActor
    {
        public Recorder(ChannelWriter<(object, IActorRef)> to) => ReceiveAny(message => to.TryWrite((message, Sender)));
    }
}
