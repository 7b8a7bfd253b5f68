namespace Akka.Configuration.Hocon;

/// <summary>What a whole text is read into.</summary>
public class HoconRoot
{
    public HoconRoot(HoconValue value, IEnumerable<HoconSubstitution> substitutions)
    {
        Value = value;
        Substitutions = substitutions;
    }

    public HoconRoot(HoconValue value)
        : this(value, [])
    {
    }

    protected HoconRoot()
        : this(new HoconValue(), [])
    {
    }

    public HoconValue Value { get; }

    public IEnumerable<HoconSubstitution> Substitutions { get; }
}
