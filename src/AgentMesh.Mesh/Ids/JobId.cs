using System.Diagnostics.CodeAnalysis;
using AgentMesh.Errors;

namespace AgentMesh.Mesh;

/// <summary>
/// <c>job/HOME/ULID</c>: entity id and persistence id of a job. The home is the device that accepted it and journals it, or a pool. <c>default</c> is no job.
/// </summary>
public readonly record struct JobId
{
    public const string Prefix = "job/";

    /// <summary>Characters people see: the end of the ulid, which is random.</summary>
    public const int ShortLength = 7;

    public const int IdempotencyKeyCharsMax = 256;

    public JobId(HomeId home, Ulid ulid)
    {
        Invariant.Check(!home.IsNone);
        Home = home;
        Ulid = ulid;
    }

    public HomeId Home { get; }

    public Ulid Ulid { get; }

    public bool IsNone => Home.IsNone;

    /// <summary>What people type and read. Unique among few jobs only; see <see cref="JobIdPattern"/>.</summary>
    public string Short => Ulid.ToString()[^ShortLength..];

    /// <summary>The same home and key give the same job, so that a repeated submission reaches the entity that has the first one.</summary>
    /// <exception cref="MeshException">AM0308: the key is empty or too long.</exception>
    public static JobId FromIdempotencyKey(HomeId home, string key) => new(home, IdempotencyKeys.UlidOf($"{home}", key));

    public static bool TryParse([NotNullWhen(true)] string? text, out JobId id)
    {
        bool isId = HomePath.TryParse(text, Prefix, out HomeId home, out Ulid ulid);
        id = isId ? new JobId(home, ulid) : default;
        return isId;
    }

    /// <exception cref="MeshException">AM0308</exception>
    public static JobId Parse(string text) => TryParse(text, out JobId id)
        ? id
        : throw new MeshException(MeshErrors.BadJobId, $"'{text}' is not a job id", "a job id is job/HOME/ULID as 'agentmesh job list' prints it, or the last characters of one");

    public override string ToString() => IsNone ? "(none)" : $"{Prefix}{Home}/{Ulid}";
}
