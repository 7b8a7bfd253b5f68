using AgentMesh.Errors;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace AgentMesh.Node.Settings;

/// <summary>Refuses keys that <c>reference.conf</c> does not have: a misspelt setting must not be silently without effect.</summary>
internal static class KnownKeys
{
    /// <summary>Objects whose keys are the user's own.</summary>
    private static readonly string[] OpenObjects = ["commands", "plugins.programs"];

    public static void Check(Config reference, Config user, string file)
    {
        HoconValue? root = user.GetValue("agentmesh");
        if (root is null || root.IsEmpty)
        {
            return;
        }

        var known = new List<string>();
        Collect(reference.GetValue("agentmesh"), "", known);
        var given = new List<string>();
        Collect(root, "", given);
        foreach (string path in given)
        {
            if (!known.Contains(path, StringComparer.Ordinal) && !OpenObjects.Any(open => path.StartsWith(open + ".", StringComparison.Ordinal)))
            {
                string nearest = known.MinBy(candidate => Distance(candidate, path))!;
                throw new MeshException(
                    NodeErrors.ConfigurationUnknownKey,
                    $"{file}: there is no setting agentmesh.{path}",
                    $"the nearest is agentmesh.{nearest}; 'agentmesh config' prints them all");
            }

            if (known.Contains(path, StringComparer.Ordinal) && reference.GetValue("agentmesh." + path).IsObject() && !user.GetValue("agentmesh." + path).IsObject())
            {
                throw new MeshException(
                    NodeErrors.ConfigurationValue,
                    $"{file}: agentmesh.{path} is a group of settings, not one",
                    $"give one of {string.Join(", ", known.Where(each => each.StartsWith(path + ".", StringComparison.Ordinal)).Select(each => "agentmesh." + each))}");
            }
        }
    }

    private static void Collect(HoconValue value, string prefix, List<string> into)
    {
        if (!value.IsObject())
        {
            return;
        }

        foreach ((string key, HoconValue child) in value.GetObject().Items)
        {
            string path = prefix.Length == 0 ? key : $"{prefix}.{key}";
            into.Add(path);
            if (!OpenObjects.Contains(path, StringComparer.Ordinal))
            {
                Collect(child, path, into);
            }
            else if (child.IsObject())
            {
                into.AddRange(child.GetObject().Items.Keys.Select(name => $"{path}.{name}"));
            }
        }
    }

    /// <summary>Levenshtein distance; paths are short, so two rows are enough.</summary>
    internal static int Distance(string left, string right)
    {
        int[] previous = [.. Enumerable.Range(0, right.Length + 1)];
        int[] current = new int[right.Length + 1];
        for (int i = 1; i <= left.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int change = previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                current[j] = Math.Min(change, Math.Min(previous[j], current[j - 1]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[right.Length];
    }
}
