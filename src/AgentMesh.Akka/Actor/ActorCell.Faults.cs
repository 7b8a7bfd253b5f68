using System.Runtime.ExceptionServices;
using Akka.Actor.Internal;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

/// <summary>Creation, failure, restart and end.</summary>
public partial class ActorCell
{
    private bool _isFailed;
    private IActorRef? _failedBy;
    private SupervisorStrategy? _strategy;

    private SupervisorStrategy Strategy
    {
        get
        {
            if (_strategy is null && _actor is not null)
                _strategy = Props.SupervisorStrategy ?? _actor.CreateSupervisorStrategy();
            return _strategy ?? SupervisorStrategy.DefaultStrategy;
        }
    }

    /// <summary>Suspends this actor and its children and asks the supervisor what to do.</summary>
    /// <param name="perpetrator">The child whose failure is escalated; null when this actor failed itself.</param>
    /// <param name="suspended">Children that are suspended already.</param>
    private void HandleInvokeFailure(Exception cause, IActorRef? perpetrator = null, IReadOnlyList<ChildRestartStats>? suspended = null)
    {
        if (_isFailed)
            return;
        try
        {
            Mailbox.Suspend();
            _isFailed = true;
            _failedBy = perpetrator ?? Self;
            foreach (ChildRestartStats child in AllChildren())
            {
                if (!child.Child.Equals(perpetrator) && suspended?.Contains(child) != true)
                    child.Child.Suspend();
            }

            _parent.SendSystemMessage(new Failed(Self, cause, _self.Path.Uid));
        }
        catch (Exception e)
        {
            Publish(new Error(e, _self.Path.ToString(), Props.Type, $"emergency stop: a failure could not be reported ({cause.Message})"));
            foreach (IInternalActorRef child in GetChildren())
                child.Stop();
            FinishTerminate();
        }
    }

    private void CreateActor(ActorInitializationException? failure)
    {
        if (failure is not null)
            throw failure;
        try
        {
            _actor = NewActor();
            _actor.AroundPreStart();
            DebugLifecycle($"Started ({_actor.GetType()})");
        }
        catch (Exception e)
        {
            ReleaseActor();
            throw e as ActorInitializationException ?? new ActorInitializationException(Self, "Exception during creation", e);
        }
    }

    private void FaultSuspend()
    {
        Mailbox.Suspend();
        foreach (IInternalActorRef child in GetChildren())
            child.Suspend();
    }

    private void FaultResume(Exception? causedByFailure)
    {
        if (_actor is null)
        {
            FaultCreate();
            return;
        }

        Mailbox.Resume();
        IActorRef? perpetrator = _failedBy;
        if (causedByFailure is not null)
            ClearFailed();
        foreach (IInternalActorRef child in GetChildren())
            child.Resume(child.Equals(perpetrator) ? causedByFailure! : null!);
    }

    /// <summary>The actor could not be made; try once more, when its children have ended.</summary>
    private void FaultCreate()
    {
        foreach (IInternalActorRef child in GetChildren())
            Stop((IActorRef)child);
        if (_children is null || !_children.WaitFor(new WaitReason.Recreation(null!)))
            FinishCreate();
    }

    private void FinishCreate()
    {
        Mailbox.Resume();
        ClearFailed();
        try
        {
            CreateActor(null);
        }
        catch (Exception e)
        {
            HandleInvokeFailure(e);
        }
    }

    private void FaultRecreate(Exception cause)
    {
        if (_actor is null)
        {
            FaultCreate();
            return;
        }

        if (!IsNormal)
        {
            FaultResume(null);
            return;
        }

        ActorBase failed = _actor;
        DebugLifecycle("restarting");
        try
        {
            failed.AroundPreRestart(cause, _current.Message);
        }
        catch (Exception e)
        {
            Publish(new Error(new PreRestartException(Self, e, cause, _current.Message), _self.Path.ToString(), failed.GetType(), e.Message));
        }

        AbandonAsync();
        ReleaseActor();
        _current = default;
        if (_children is null || !_children.WaitFor(new WaitReason.Recreation(cause)))
            FinishRecreate(cause);
    }

    private void FinishRecreate(Exception? cause)
    {
        if (cause is null)
        {
            FinishCreate();
            return;
        }

        IReadOnlyList<ChildRestartStats> survivors = AllChildren();
        Mailbox.Resume();
        ClearFailed();
        try
        {
            _actor = NewActor();
            _actor.AroundPostRestart(cause, null!);
            DebugLifecycle("restarted");
        }
        catch (Exception e)
        {
            ReleaseActor();
            HandleInvokeFailure(new PostRestartException(Self, e, cause), suspended: survivors);
            return;
        }

        foreach (ChildRestartStats child in survivors)
            child.Child.Restart(cause);
    }

    private void TerminateActor()
    {
        SetReceiveTimeout(null);
        _timers?.CancelAll();
        foreach (IInternalActorRef child in GetChildren())
            Stop((IActorRef)child);
        bool wasTerminating = IsTerminating;
        if (_children is not null && _children.WaitFor(new WaitReason.Termination()))
        {
            if (wasTerminating)
                return;

            // No messages while the children end, and no more questions to the supervisor.
            Mailbox.Suspend();
            _isFailed = true;
            _failedBy = Self;
            DebugLifecycle("stopping");
            return;
        }

        _children?.Close();
        FinishTerminate();
    }

    private void FinishTerminate()
    {
        ActorBase? actor = _actor;
        try
        {
            AbandonAsync();
            actor?.AroundPostStop();
        }
        catch (Exception e)
        {
            Publish(new Error(e, _self.Path.ToString(), actor!.GetType(), e.Message));
        }

        try
        {
            ReleaseActor();
            Dispatcher.Detach(this);
        }
        finally
        {
            _parent.SendSystemMessage(new DeathWatchNotification(Self, existenceConfirmed: true, addressTerminated: false));
            TellWatchersWeDied();
            UnwatchWatchedActors(actor!);
            DebugLifecycle("stopped");
            _postponed = null;
            _behavior = null!;
            _behaviorsBelow = null;
            _strategy = null;
            _current = default;
        }
    }

    private void HandleFailed(Failed failed)
    {
        if (!TryGetChildStatsByRef(failed.Child, out ChildRestartStats? stats) || stats.Uid != failed.Uid)
        {
            DebugLifecycle($"dropping Failed({failed.Cause.Message}) of {failed.Child}, which is not a child (any more)");
            return;
        }

        Envelope before = _current;
        _current = new Envelope(failed, failed.Child);
        bool handled;
        try
        {
            handled = Strategy.HandleFailure(this, failed.Child, failed.Cause, stats, AllChildren());
        }
        finally
        {
            _current = before;
        }

        if (!handled)
            ExceptionDispatchInfo.Throw(failed.Cause);
    }

    private void HandleChildTerminated(IActorRef child)
    {
        WaitReason? awaited = ChildList.Remove(child);
        if (_actor is not null)
        {
            try
            {
                Strategy.HandleChildTerminated(this, child, GetChildren());
            }
            catch (Exception e)
            {
                Publish(new Error(e, _self.Path.ToString(), Props.Type, "HandleChildTerminated failed"));
                HandleInvokeFailure(e);
            }
        }

        switch (awaited)
        {
            case WaitReason.Recreation recreation:
                FinishRecreate(recreation.Cause);
                break;
            case WaitReason.Termination:
                FinishTerminate();
                break;
        }
    }

    private void ClearFailed()
    {
        _isFailed = false;
        _failedBy = null;
    }

    private void AbandonAsync()
    {
        if (!_asyncRunning)
            return;
        _asyncRunning = false;
        _taskScheduler = null;
        _receiveTimeout?.MessageEnded(_current.Message);
        Mailbox.Resume();
    }

    /// <summary>Lets the instance go: its timers end, what it stashed goes back to the mailbox.</summary>
    private void ReleaseActor()
    {
        ActorBase? actor = _actor;
        _timers?.CancelAll();
        _timers = null;
        if (actor is null)
            return;
        if (actor is IActorStash { Stash: { NonEmpty: true } stash })
            stash.UnstashAll();
        _actor = null;
        _strategy = null;
        actor.MarkCleared();
        try
        {
            Props.Release(actor);
        }
        catch (Exception e)
        {
            Publish(new Error(e, _self.Path.ToString(), actor.GetType(), $"releasing the actor failed: {e.Message}"));
        }
    }
}
