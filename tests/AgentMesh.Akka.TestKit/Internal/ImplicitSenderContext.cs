using Akka.Actor;
using Akka.Actor.Internal;

namespace Akka.TestKit.Internal;

/// <summary>Keeps the test actor the sender of what a test sends after an <c>await</c>, on whichever thread it goes on.</summary>
internal sealed class ImplicitSenderContext : SynchronizationContext
{
    private readonly ActorCell _cell;

    public ImplicitSenderContext(ActorCell cell) => _cell = cell;

    public override void Post(SendOrPostCallback d, object? state) => ThreadPool.QueueUserWorkItem(_ => Run(d, state));

    public override void Send(SendOrPostCallback d, object? state) => Run(d, state);

    public override SynchronizationContext CreateCopy() => this;

    private void Run(SendOrPostCallback callback, object? state)
    {
        ActorCell cellBefore = InternalCurrentActorCellKeeper.Current;
        SynchronizationContext? contextBefore = Current;
        SetSynchronizationContext(this);
        InternalCurrentActorCellKeeper.Current = _cell;
        try
        {
            callback(state);
        }
        finally
        {
            InternalCurrentActorCellKeeper.Current = cellBefore;
            SetSynchronizationContext(contextBefore);
        }
    }
}
