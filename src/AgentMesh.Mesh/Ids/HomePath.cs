using System.Diagnostics.CodeAnalysis;

namespace AgentMesh.Mesh;

/// <summary><c>KIND/HOME/NAME</c>: what the ids of entities have in common.</summary>
internal static class HomePath
{
    /// <param name="prefix">The kind, with its slash.</param>
    /// <param name="name">Not empty; whether it is one is for the caller to say.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, string prefix, out HomeId home, [NotNullWhen(true)] out string? name)
    {
        home = default;
        name = null;
        if (text is null || !text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }

        int slash = text.IndexOf('/', prefix.Length);
        if (slash < 0 || slash + 1 == text.Length || !HomeId.TryParse(text[prefix.Length..slash], out home))
        {
            return false;
        }

        name = text[(slash + 1)..];
        return true;
    }

    /// <summary>For the kinds that are named by an ulid.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, string prefix, out HomeId home, out Ulid ulid)
    {
        ulid = default;
        return TryParse(text, prefix, out home, out string? name) && Ulid.TryParse(name, out ulid);
    }
}
