namespace Akka.TestKit;

/// <summary>A type of message and what one of it has to fulfil.</summary>
public class PredicateInfo
{
    private readonly Func<object, bool> _fits;

    private PredicateInfo(Type type, Delegate predicate, Func<object, bool> fits)
    {
        Type = type;
        PredicateT = predicate;
        _fits = fits;
    }

    public Type Type { get; }

    public Delegate PredicateT { get; }

    public static PredicateInfo Create<T>(Predicate<T> predicateT) => new(typeof(T), predicateT, message => message is T one && predicateT(one));

    public override string ToString() => $"a {Type.Name} that fits";

    internal bool Fits(object message) => _fits(message);
}
