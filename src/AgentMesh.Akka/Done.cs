namespace Akka;

/// <summary>The value of an operation that has nothing to return but its completion.</summary>
public sealed class Done
{
    public static readonly Done Instance = new();

    private Done()
    {
    }
}
