using System.Threading.Channels;
using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>An actor of another device: what is told to it is read by the test.</summary>
internal sealed class ForeignRef(ExtendedActorSystem system, DeviceId device, string name) : MinimalActorRef
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<object> _received = Channel.CreateUnbounded<object>();

    public override ActorPath Path { get; } = new RootActorPath(new Address("akka.mesh", "agentmesh", device.ToString(), 1)) / "user" / name;

    public override IActorRefProvider Provider => system.Provider;

    public int Waiting => _received.Reader.Count;

    /// <summary>The next message of the type; others before it are dropped.</summary>
    public async Task<T> Next<T>(Predicate<T>? fitting = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            if (await _received.Reader.ReadAsync(limit.Token) is T wanted && fitting?.Invoke(wanted) != false)
            {
                return wanted;
            }
        }
    }

    public void Forget()
    {
        while (_received.Reader.TryRead(out _))
        {
        }
    }

    protected override void TellInternal(object message, IActorRef sender) => _received.Writer.TryWrite(message);
}
