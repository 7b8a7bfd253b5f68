namespace Akka.Actor;

/// <summary>The base of the engine's errors.</summary>
public abstract class AkkaException : Exception
{
    protected AkkaException()
    {
    }

    protected AkkaException(string message, Exception cause = null!)
        : base(message, cause)
    {
    }

    protected Exception Cause => InnerException!;
}

/// <summary>An actor could not be created or started.</summary>
public class ActorInitializationException : AkkaException
{
    public ActorInitializationException()
    {
    }

    public ActorInitializationException(string message)
        : base(message)
    {
    }

    public ActorInitializationException(string message, Exception cause)
        : base(message, cause)
    {
    }

    public ActorInitializationException(IActorRef actor, string message, Exception cause = null!)
        : base(message, cause) => Actor = actor;

    /// <summary>Null when it had no reference yet.</summary>
    public IActorRef Actor { get; set; } = null!;

    public override string ToString() => Actor is null ? base.ToString() : $"{Actor}: {base.ToString()}";
}

/// <summary><c>PreRestart</c> threw.</summary>
public class PreRestartException : ActorInitializationException
{
    public PreRestartException(IActorRef actor, Exception restartException, Exception cause, object optionalMessage)
        : base(actor, $"PreRestart threw {restartException.GetType().Name}, cause of the restart was {cause?.GetType().Name}", restartException)
    {
        RestartException = restartException;
        OptionalMessage = optionalMessage;
    }

    public Exception RestartException { get; }

    public object OptionalMessage { get; }
}

/// <summary>The new instance of a restarted actor could not be created, or its <c>PostRestart</c> threw.</summary>
public class PostRestartException : ActorInitializationException
{
    public PostRestartException(IActorRef actor, Exception cause, Exception originalCause)
        : base(actor, $"Restarting failed with {cause?.GetType().Name}, cause of the restart was {originalCause?.GetType().Name}", cause!) =>
        OriginalCause = originalCause!;

    public Exception OriginalCause { get; }
}

/// <summary>A watched actor ended and its <see cref="Terminated"/> was not handled.</summary>
public class DeathPactException : AkkaException
{
    public DeathPactException(IActorRef deadActor)
        : base($"Monitored actor [{deadActor}] terminated") => DeadActor = deadActor;

    public IActorRef DeadActor { get; }
}

/// <summary>The actor received <see cref="Kill"/>.</summary>
public class ActorKilledException : AkkaException
{
    public ActorKilledException()
    {
    }

    public ActorKilledException(string message)
        : base(message)
    {
    }
}

/// <summary>No answer came in time.</summary>
public class AskTimeoutException : AkkaException
{
    public AskTimeoutException(string message)
        : base(message)
    {
    }
}

/// <summary>A selection matched no actor in time.</summary>
public class ActorNotFoundException : AkkaException
{
    public ActorNotFoundException()
    {
    }

    public ActorNotFoundException(string message, Exception innerException = null!)
        : base(message, innerException)
    {
    }
}

/// <summary>A name that an actor may not have, or that is taken.</summary>
public class InvalidActorNameException : AkkaException
{
    public InvalidActorNameException(string message)
        : base(message)
    {
    }

    public InvalidActorNameException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>A message that cannot be sent, such as null.</summary>
public class InvalidMessageException : AkkaException
{
    public InvalidMessageException()
        : this("Message is null")
    {
    }

    public InvalidMessageException(string message)
        : base(message)
    {
    }
}

public class IllegalActorStateException : AkkaException
{
    public IllegalActorStateException(string message)
        : base(message)
    {
    }
}

public class IllegalActorNameException : AkkaException
{
    public IllegalActorNameException(string message)
        : base(message)
    {
    }
}

/// <summary>The stash is full.</summary>
public class StashOverflowException : AkkaException
{
    public StashOverflowException(string message, Exception cause = null!)
        : base(message, cause)
    {
    }
}

/// <summary>A logger did not start.</summary>
public class LoggerInitializationException : AkkaException
{
    public LoggerInitializationException()
    {
    }

    public LoggerInitializationException(string message)
        : base(message)
    {
    }

    public LoggerInitializationException(string message, Exception cause = null!)
        : base(message, cause)
    {
    }
}

public sealed class SchedulerException : AkkaException
{
    public SchedulerException(string message)
        : base(message)
    {
    }
}
