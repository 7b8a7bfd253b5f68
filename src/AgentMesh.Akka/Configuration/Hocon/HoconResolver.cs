namespace Akka.Configuration.Hocon;

/// <summary>
/// Gives substitutions their values: from the whole text, so that the last definition counts; from what a key held before, where it refers to
/// itself; from the environment, where the text has nothing.
/// </summary>
internal static class HoconResolver
{
    public static void Resolve(HoconValue root, IReadOnlyList<HoconSubstitution> substitutions)
    {
        foreach (HoconSubstitution substitution in substitutions)
        {
            if (substitution.ResolvedValue is null)
            {
                substitution.ResolvedValue = Find(root, substitution);
            }
        }

        foreach (HoconSubstitution substitution in substitutions)
        {
            CheckForCycle(substitution, []);
        }
    }

    private static HoconValue? Find(HoconValue root, HoconSubstitution substitution)
    {
        HoconValue? found = substitution.IsSelfReference ? substitution.Before : Walk(root, substitution.Path);
        if (found is not null)
        {
            return found;
        }

        if (Environment.GetEnvironmentVariable(substitution.Path) is { } variable)
        {
            return new HoconValue([new HoconLiteral { Value = variable, IsQuoted = true }]);
        }

        return substitution.IsOptional
            ? substitution.Before
            : throw new ConfigurationException($"{substitution.Place}: nothing defines '{substitution.Path}', and there is no such environment variable; write ${{?{substitution.Path}}} where it may be absent");
    }

    // Not through GetObject of unresolved parts: a path that leads through another substitution takes what that has so far.
    private static HoconValue? Walk(HoconValue root, string path)
    {
        HoconValue? value = root;
        foreach (string key in HoconPath.Split(path))
        {
            value = value?.GetChildObject(key);
        }

        return value;
    }

    private static void CheckForCycle(HoconSubstitution substitution, HashSet<HoconSubstitution> under)
    {
        if (!under.Add(substitution))
        {
            throw new ConfigurationException($"{substitution.Place}: '{substitution.Path}' refers to itself in a circle");
        }

        foreach (HoconSubstitution inner in substitution.ResolvedValue?.Values.OfType<HoconSubstitution>() ?? [])
        {
            CheckForCycle(inner, under);
        }

        under.Remove(substitution);
    }
}
