using System.Text.Json.Serialization;

namespace AgentMesh.Journal.Audit;

/// <summary>One line of the audit log; the format is described in docs/audit.md.</summary>
public sealed record AuditRecord
{
    /// <summary>Longer commands are cut.</summary>
    public const int CommandCharsMax = 4096;

    public int V { get; init; } = 1;

    public required DateTimeOffset At { get; init; }

    public required AuditEvent Event { get; init; }

    public required string Job { get; init; }

    public required int Attempt { get; init; }

    /// <summary>The device that the job came from, as its connection has proven it.</summary>
    public required string Home { get; init; }

    /// <summary>Who asked, as that device says.</summary>
    public string? User { get; init; }

    public bool? Program { get; init; }

    public string? Command { get; init; }

    public string? Outcome { get; init; }

    public int? ExitCode { get; init; }

    /// <summary>Of the error, where there was one.</summary>
    public string? Code { get; init; }
}

/// <summary>Each attempt has one line when it is taken, and one when it has ended or was refused.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AuditEvent>))]
public enum AuditEvent
{
    [JsonStringEnumMemberName("taken")]
    Taken,

    [JsonStringEnumMemberName("ended")]
    Ended,

    [JsonStringEnumMemberName("refused")]
    Refused,
}

/// <summary>What is known of one attempt.</summary>
/// <param name="EndedAt">Null while it runs, and for ever where the node was killed meanwhile.</param>
public sealed record AuditEntry(AuditRecord Taken, AuditRecord? End)
{
    public DateTimeOffset? EndedAt => End?.At;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditRecord))]
internal sealed partial class AuditJson : JsonSerializerContext;
