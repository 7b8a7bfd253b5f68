using Akka.Actor;
using Akka.Configuration;

namespace AgentMesh.Mesh.Tests;

/// <summary>One entity at its home with a journal in memory; the jobs of that home are the test's.</summary>
internal abstract class EntityLab : IAsyncDisposable
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private IActorRef? _entity;

    protected EntityLab()
    {
        System = ActorSystem.Create("agentmesh", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off"));
        Jobs = new JobsOfTest(System);
    }

    public ActorSystem System { get; }

    /// <summary>Begins when it is asked for the first time.</summary>
    public IActorRef Entity => _entity ??= System.ActorOf(Create());

    public int WaitingAtJobs => Jobs.Waiting;

    protected JobsOfTest Jobs { get; }

    public Task<object> Ask(object message) => Entity.Ask<object>(message, Patience);

    public async Task<T> Ask<T>(object message) => Assert.IsType<T>(await Ask(message));

    /// <summary>The next message to the jobs of this home, questions for an end that was answered already left out.</summary>
    public Task<(T Message, IActorRef Asker)> NextToJobs<T>() => Jobs.Next<T>();

    /// <summary>As a job of this home says it.</summary>
    public void Say(IActorRef to, object message) => to.Tell(message, Jobs.Ref);

    /// <summary>The entity goes as with its process; a new one reads the journal.</summary>
    /// <param name="forget">What the old one has sent to jobs does not come to the test any more.</param>
    public async Task Restart(bool forget = true)
    {
        await Entity.GracefulStop(Patience);
        if (forget)
        {
            Jobs.Forget();
        }

        Restarting();
        _entity = System.ActorOf(Create());
    }

    public async ValueTask DisposeAsync() => await System.Terminate().WaitAsync(Patience);

    protected abstract Props Create();

    protected virtual void Restarting()
    {
    }

    protected static async Task<TView> Until<TView>(Func<Task<TView>> look, Func<TView, bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            TView view = await look();
            if (holds(view))
            {
                return view;
            }

            await Task.Delay(10, limit.Token);
        }
    }
}
