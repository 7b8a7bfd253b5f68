using System.Runtime.ExceptionServices;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch.SysMsg;

namespace Akka.Dispatch;

/// <summary>Runs the continuations of an actor's asynchronous handler as the actor, one at a time, while its mailbox is suspended.</summary>
public class ActorTaskScheduler : TaskScheduler
{
    private readonly ActorCell _cell;

    internal ActorTaskScheduler(ActorCell cell) => _cell = cell;

    /// <summary>The message whose handler is awaiting; null when none is.</summary>
    public object CurrentMessage { get; private set; } = null!;

    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Starts a task of the running actor; the next message waits until it has ended.</summary>
    public static void RunTask(Action action) => RunTask(() =>
    {
        action();
        return Task.CompletedTask;
    });

    /// <exception cref="InvalidOperationException">No actor is running here.</exception>
    public static void RunTask(Func<Task> asyncAction)
    {
        ActorCell cell = InternalCurrentActorCellKeeper.Current
            ?? throw new InvalidOperationException("RunTask can be called only by an actor while it handles a message");
        cell.TaskScheduler.Run(asyncAction);
    }

    internal void Execute(Task task)
    {
        OnBeforeTaskStarted();
        TryExecuteTask(task);
        OnAfterTaskCompleted();
    }

    /// <summary>Finishes the handler of an actor that has ended, without an actor around it, so that it can release what it holds.</summary>
    internal void ExecuteDetached(Task task) => ThreadPool.UnsafeQueueUserWorkItem(static s => s.Scheduler.TryExecuteTask(s.Task), (Scheduler: this, Task: task), preferLocal: false);

    protected virtual void OnBeforeTaskStarted()
    {
    }

    protected virtual void OnAfterTaskCompleted()
    {
    }

    protected override IEnumerable<Task> GetScheduledTasks() => null!;

    protected override void QueueTask(Task task)
    {
        if ((task.CreationOptions & TaskCreationOptions.LongRunning) != 0)
            new Thread(() => TryExecuteTask(task)) { IsBackground = true, Name = "actor long running task" }.Start();
        else
            _cell.Dispatcher.SystemDispatch(_cell, new ActorTask(task) { Scheduler = this });
    }

    /// <summary>Inline only on the thread that runs the actor, and never over the place of an earlier step.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && ReferenceEquals(InternalCurrentActorCellKeeper.Current, _cell) && TryExecuteTask(task);

    private void Run(Func<Task> asyncAction)
    {
        var starter = new Task<Task>(asyncAction);
        starter.RunSynchronously(this);
        if (starter.IsFaulted)
            ExceptionDispatchInfo.Throw(starter.Exception!.InnerException!);
        Task task = starter.Result;
        if (task.IsCompletedSuccessfully)
            return;
        if (task.IsCompleted)
        {
            ThrowOf(task);
            return;
        }

        Await(task);
    }

    private void Await(Task task)
    {
        CurrentMessage = _cell.CurrentMessage;
        _cell.BeginAsync();
        _ = task.ContinueWith(
            static (ended, state) => ((ActorTaskScheduler)state!).Ended(ended),
            this,
            CancellationToken.None,
            TaskContinuationOptions.None,
            this);
    }

    private void Ended(Task task)
    {
        CurrentMessage = null!;
        Exception? failure = null;
        try
        {
            ThrowOf(task);
        }
        catch (Exception e)
        {
            failure = e;
        }

        _cell.EndAsync(this, failure);
    }

    private static void ThrowOf(Task task)
    {
        if (task.IsFaulted)
            ExceptionDispatchInfo.Throw(task.Exception!.InnerExceptions.Count == 1 ? task.Exception.InnerException! : task.Exception);
        if (task.IsCanceled)
            throw new TaskCanceledException(task);
    }
}
