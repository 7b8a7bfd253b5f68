using AgentMesh.Errors;
using AgentMesh.Mesh.Selectors;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace AgentMesh.Node.Settings;

/// <summary>Refuses keys that <c>reference.conf</c> does not have: a misspelt setting must not be silently without effect.</summary>
internal static class KnownKeys
{
    /// <summary>Objects whose keys are the user's own.</summary>
    private static readonly string[] OpenObjects = ["commands", "plugins.programs", "device.resources", "limits.per-command", "link.auto-connect-devices"];

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
                string nearest = known.MinBy(candidate => Nearest.Distance(candidate, path))!;
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
}
