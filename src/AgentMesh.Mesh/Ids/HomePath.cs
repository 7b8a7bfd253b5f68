using System.Diagnostics.CodeAnalysis;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh;

/// <summary><c>KIND/HOME/NAME</c>: what the ids of entities have in common.</summary>
internal static class HomePath
{
    /// <param name="prefix">The kind, with its slash.</param>
    /// <param name="name">Not empty; whether it is one is for the caller to say.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, string prefix, out DeviceId home, [NotNullWhen(true)] out string? name)
    {
        home = default;
        name = null;
        int slash = prefix.Length + DeviceId.TextLength;
        if (text is null || text.Length <= slash + 1 || !text.StartsWith(prefix, StringComparison.Ordinal) || text[slash] != '/'
            || !DeviceId.TryParse(text.AsSpan(prefix.Length, DeviceId.TextLength), out home))
        {
            return false;
        }

        name = text[(slash + 1)..];
        return true;
    }
}
