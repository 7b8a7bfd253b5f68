using System.Text.Json;
using System.Text.Json.Serialization;
using AgentMesh.Errors;
using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Attempts;

/// <summary>Why the device ends an attempt that nobody has cancelled: <c>given-up</c> in its directory, for the next process of the node.</summary>
internal sealed record GivenUpFile(string Code, string Message, string? NextStep)
{
    private const string Name = "given-up";

    /// <summary>On the disk when this returns: the end of the program, which comes after it, survives a loss of power.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string directory, MeshException why) => ShimFiles.Replace(
        Path.Combine(directory, Name), JsonSerializer.Serialize(new GivenUpFile(why.Code, why.Message, why.NextStep), GivenUpJson.Default.GivenUpFile), isDurable: true);

    /// <returns>Null where nobody has given the attempt up.</returns>
    public static MeshException? TryRead(string directory)
    {
        try
        {
            string file = Path.Combine(directory, Name);
            return File.Exists(file) && JsonSerializer.Deserialize(File.ReadAllText(file), GivenUpJson.Default.GivenUpFile) is { Code: not null, Message: not null } found
                ? new MeshException(found.Code, found.Message, found.NextStep)
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(GivenUpFile))]
internal sealed partial class GivenUpJson : JsonSerializerContext;
