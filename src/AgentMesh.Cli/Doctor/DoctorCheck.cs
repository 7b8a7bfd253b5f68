using System.Text.Json.Serialization;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Doctor;

/// <summary>What one check found.</summary>
/// <param name="Name">Stable: programs may look for it. That of a device is <c>peer NAME</c>.</param>
/// <param name="Result">ok, warn or fail.</param>
/// <param name="Finding">One line.</param>
/// <param name="Next">What to do, with a command; null when it is ok.</param>
/// <param name="Code">Of the error where there is one: docs/errors.</param>
internal sealed record DoctorCheck(string Name, string Result, string Finding, string? Next = null, string? Code = null)
{
    public static DoctorCheck Ok(string name, string finding) => new(name, "ok", OneLine(finding));

    public static DoctorCheck Warn(string name, string finding, string next, string? code = null) => new(name, "warn", OneLine(finding), OneLine(next), code);

    public static DoctorCheck Fail(string name, string finding, string next, string? code = null) => new(name, "fail", OneLine(finding), OneLine(next), code);

    /// <summary>Ok with what is read, or the error that reading it gave.</summary>
    public static DoctorCheck Of(string name, Func<string> read)
    {
        try
        {
            return Ok(name, read());
        }
        catch (MeshException problem)
        {
            return Of(name, problem);
        }
    }

    public static DoctorCheck Of(string name, MeshException problem) => Fail(name, problem.Message, problem.NextStep ?? $"see docs/errors/{problem.Code}.md", problem.Code);

    private static string OneLine(string text) => string.Join(' ', text.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}

/// <summary>The answer of <c>agentmesh doctor --json</c>.</summary>
/// <param name="Ok">No check failed; warnings do not count.</param>
internal sealed record DoctorReport(bool Ok, string Version, IReadOnlyList<DoctorCheck> Checks)
{
    public static DoctorReport Of(string version, IReadOnlyList<DoctorCheck> checks) => new(checks.All(check => check.Result != "fail"), version, checks);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;
