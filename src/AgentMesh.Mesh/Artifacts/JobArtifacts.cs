using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Artifacts;

/// <summary>A file that a program shall leave behind.</summary>
/// <param name="Name">What others ask for.</param>
/// <param name="Path">Below the working directory of the attempt.</param>
public sealed record JobArtifact(string Name, string Path);

/// <summary>A file that a program finds when it begins.</summary>
/// <param name="Name">Of the file in the directory of inputs.</param>
public sealed record ArtifactInput(string Name, ContentHash Hash, long Size);

/// <summary>A content that is in the store of a job's home.</summary>
public sealed record ArtifactRef(string Name, ContentHash Hash, long Size);

/// <summary>What names and paths of artifacts may be. Both come from other devices.</summary>
public static class ArtifactNames
{
    /// <summary>Artifacts, and inputs, of one job.</summary>
    public const int CountMax = 32;

    private const int NameLengthMax = 100;
    private const int PathBytesMax = 512;

    /// <summary>Letters, digits, '.', '-' and '_', not '.' first: it is the name of a file in one directory and of nothing else.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= NameLengthMax && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    /// <summary>Relative, with '/' between, and nowhere upwards.</summary>
    public static bool IsPath(string path) =>
        path.Length > 0 && Encoding.UTF8.GetByteCount(path) <= PathBytesMax && !path.Any(c => char.IsControl(c) || c is '\\' or ':') && path.Split('/').All(part => part is not ("" or "." or ".."));

    /// <summary><c>NAME=PATH</c>, or a path whose last part is the name.</summary>
    /// <exception cref="MeshException">AM0446.</exception>
    public static JobArtifact Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string path = text[(equals + 1)..], name = equals < 0 ? path[(path.LastIndexOf('/') + 1)..] : text[..equals];
        return Check(new JobArtifact(name, path));
    }

    /// <exception cref="MeshException">AM0446.</exception>
    public static JobArtifact Check(JobArtifact artifact)
    {
        if (!IsName(artifact.Name))
        {
            throw new MeshException(ArtifactErrors.BadArtifact, $"'{artifact.Name}' is no name of an artifact", "a name has 1 to 100 letters, digits, '.', '-' and '_', and does not begin with '.'; write NAME=PATH");
        }

        return IsPath(artifact.Path)
            ? artifact
            : throw new MeshException(ArtifactErrors.BadArtifact, $"'{artifact.Path}' is no path of an artifact", "a path is relative to the working directory of the job, without '..', for example outputs/model.bin");
    }

    /// <exception cref="MeshException">AM0446: a name is there twice, or there are too many.</exception>
    public static void CheckAll(IEnumerable<string> names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            if (!IsName(name) || !seen.Add(name))
            {
                throw new MeshException(ArtifactErrors.BadArtifact, IsName(name) ? $"'{name}' is there twice" : $"'{name}' is no name of a file", "give each one a name of its own: letters, digits, '.', '-' and '_'");
            }
        }

        if (seen.Count > CountMax)
        {
            throw new MeshException(ArtifactErrors.BadArtifact, $"{seen.Count} files; {CountMax} are the most", "put them into an archive");
        }
    }
}

/// <summary>Codes of what goes wrong with artifacts outside of their store. Each has a page in <c>docs/errors</c>.</summary>
public static class ArtifactErrors
{
    public const string NotMade = "AM0445";
    public const string BadArtifact = "AM0446";
    public const string NotDelivered = "AM0447";
}
