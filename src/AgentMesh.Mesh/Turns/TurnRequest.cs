namespace AgentMesh.Mesh.Turns;

/// <summary>What waits for its turn.</summary>
/// <param name="Share">Who is treated alike: a group, or a caller without one.</param>
/// <param name="Owner">Whose limit of turns at the same time counts; may have several shares.</param>
/// <param name="Label">What others are told that wait for it.</param>
public sealed record TurnRequest<TKey>(TKey Key, string Share, string Owner, int Priority, ResourceAmounts Needs, string Label)
    where TKey : notnull;

/// <param name="AgeStep">Who is passed over for so long counts one priority more, again and again: nobody waits for ever.</param>
/// <param name="OwnerMax">Turns at the same time of one owner; null for no limit.</param>
public sealed record TurnRules(TimeSpan AgeStep, Func<string, int?> OwnerMax)
{
    /// <summary>From -10 to 10 in 100 minutes.</summary>
    public static TurnRules Default { get; } = new(TimeSpan.FromMinutes(5), static _ => null);
}
