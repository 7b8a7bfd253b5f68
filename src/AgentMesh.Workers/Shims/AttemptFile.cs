using System.Text.Json;
using System.Text.Json.Serialization;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Protocol.Identity;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Shims;

/// <summary>What a restarted node has to know of an attempt that it takes over: <c>order</c> in its directory.</summary>
internal sealed record AttemptFile(
    int Version, string Job, int Attempt, IReadOnlyList<string> Words, string Device, string DeviceName, string User, double? TimeoutSeconds, string? Alias)
{
    /// <summary>Null where an earlier version has written the file.</summary>
    public IReadOnlyList<JobArtifact>? Artifacts { get; init; }

    /// <summary>In thousandths; null in a file of a version that knew none.</summary>
    public Dictionary<string, long>? Resources { get; init; }

    public int Priority { get; init; }

    public string? Group { get; init; }
    public InputFile? Input { get; init; }

    public PipeFile? PipeTo { get; init; }

    public static void Write(string directory, AttemptOrder order)
    {
        var file = new AttemptFile(
            ShimFrame.Version,
            order.Key.Job.ToString(),
            order.Key.Attempt,
            order.Words,
            order.Caller.Device.ToString(),
            order.Caller.DeviceName,
            order.Caller.User,
            order.Timeout?.TotalSeconds,
            order.Alias)
        {
            Resources = order.Needs.Resources.IsNone ? null : order.Needs.Resources.Thousandths.ToDictionary(each => each.Key, each => each.Value, StringComparer.Ordinal),
            Priority = order.Needs.Priority,
            Group = order.Needs.Group,
            Input = order.Input is { } input ? new InputFile(input.From?.ToString(), input.Terminal, input.LoginShell) : null,
            PipeTo = order.PipeTo is { } pipe ? new PipeFile(pipe.Device.ToString(), pipe.Job.ToString()) : null,
            Artifacts = order.Artifacts.IsEmpty ? null : [.. order.Artifacts],
        };
        ShimFiles.Replace(Path.Combine(directory, ShimFiles.Order), JsonSerializer.Serialize(file, AttemptJson.Default.AttemptFile));
    }

    /// <returns>Null where there is none that this version understands.</returns>
    public static AttemptOrder? TryRead(string directory)
    {
        try
        {
            AttemptFile? file = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(directory, ShimFiles.Order)), AttemptJson.Default.AttemptFile);
            return file is { Version: ShimFrame.Version } && JobId.TryParse(file.Job, out JobId job) && DeviceId.TryParse(file.Device, out DeviceId device)
                ? new AttemptOrder(
                    new AttemptKey(job, file.Attempt), "", file.Words, new Caller(device, file.DeviceName, file.User), file.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, file.Alias)
                {
                    Artifacts = [.. file.Artifacts ?? []],
                    Needs = new JobNeeds(ResourceAmounts.Of(file.Resources ?? []), file.Priority, file.Group),
                    Input = file.Input is { } input ? new JobInput(input.From is null ? null : DeviceId.Parse(input.From), input.Terminal, input.LoginShell) : null,
                    PipeTo = file.PipeTo is { } pipe && JobId.TryParse(pipe.Job, out JobId next) ? new JobPipe(DeviceId.Parse(pipe.Device), next) : null,
                }
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or FormatException or MeshException)
        {
            return null;
        }
    }
}

internal sealed record InputFile(string? From, JobTerminal? Terminal, bool LoginShell);

internal sealed record PipeFile(string Device, string Job);

[JsonSerializable(typeof(AttemptFile))]
internal sealed partial class AttemptJson : JsonSerializerContext;
