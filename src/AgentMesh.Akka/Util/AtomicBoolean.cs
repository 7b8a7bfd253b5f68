namespace Akka.Util;

/// <summary>A boolean that is read and swapped atomically.</summary>
public class AtomicBoolean
{
    private int _value;

    public AtomicBoolean(bool initialValue = false) => _value = initialValue ? 1 : 0;

    public bool Value
    {
        get => Volatile.Read(ref _value) == 1;
        set => Interlocked.Exchange(ref _value, value ? 1 : 0);
    }

    public static implicit operator bool(AtomicBoolean atomicBoolean) => atomicBoolean.Value;

    /// <summary>True when the value was <paramref name="expected"/> and now is <paramref name="newValue"/>.</summary>
    public bool CompareAndSet(bool expected, bool newValue)
    {
        int from = expected ? 1 : 0;
        return Interlocked.CompareExchange(ref _value, newValue ? 1 : 0, from) == from;
    }

    public bool GetAndSet(bool newValue) => Interlocked.Exchange(ref _value, newValue ? 1 : 0) == 1;
}
