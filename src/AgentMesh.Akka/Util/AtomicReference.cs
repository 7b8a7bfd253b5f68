namespace Akka.Util;

/// <summary>A reference that is read and swapped atomically.</summary>
public class AtomicReference<T>
    where T : class
{
    protected T atomicValue;

    public AtomicReference() => atomicValue = null!;

    public AtomicReference(T originalValue) => atomicValue = originalValue;

    public T Value
    {
        get => Volatile.Read(ref atomicValue);
        set => Volatile.Write(ref atomicValue, value);
    }

    public static implicit operator T(AtomicReference<T> atomicReference) => atomicReference.Value;

    /// <summary>True when the reference was <paramref name="expected"/> and now is <paramref name="newValue"/>.</summary>
    public bool CompareAndSet(T expected, T newValue) => ReferenceEquals(Interlocked.CompareExchange(ref atomicValue, newValue, expected), expected);

    public T GetAndSet(T newValue) => Interlocked.Exchange(ref atomicValue, newValue);
}
