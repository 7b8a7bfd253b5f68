using Akka.Actor;

namespace Akka.Pattern;

/// <summary>The circuit breaker is open: the call was not made.</summary>
public class OpenCircuitException : AkkaException
{
    public OpenCircuitException()
        : this("The circuit breaker is open")
    {
    }

    public OpenCircuitException(string message)
        : this(message, TimeSpan.Zero)
    {
    }

    public OpenCircuitException(string message, TimeSpan remainingDuration)
        : this(message, null!, remainingDuration)
    {
    }

    public OpenCircuitException(string message, Exception cause)
        : this(message, cause, TimeSpan.Zero)
    {
    }

    public OpenCircuitException(string message, Exception cause, TimeSpan remainingDuration)
        : base(message, cause) => RemainingDuration = remainingDuration;

    public OpenCircuitException(Exception cause)
        : this(cause, TimeSpan.Zero)
    {
    }

    public OpenCircuitException(Exception cause, TimeSpan remainingDuration)
        : this("The circuit breaker is open", cause, remainingDuration)
    {
    }

    /// <summary>Until the breaker lets a call through again to try.</summary>
    public TimeSpan RemainingDuration { get; }
}

/// <summary>What a breaker remembers as the last failure after <see cref="CircuitBreaker.Fail"/>.</summary>
public class UserCalledFailException : AkkaException
{
    public UserCalledFailException()
        : base("The breaker was failed by a call of Fail")
    {
    }
}

/// <summary>Something that cannot be.</summary>
public class IllegalStateException : AkkaException
{
    public IllegalStateException(string message)
        : base(message)
    {
    }

    public IllegalStateException(string message, Exception innerEx)
        : base(message, innerEx)
    {
    }
}
