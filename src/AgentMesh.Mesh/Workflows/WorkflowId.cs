using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Workflows;

/// <summary><c>workflow/HOME/ULID</c>: entity id and persistence id of a workflow. The home is the device that accepted it, or a pool. <c>default</c> is none.</summary>
public readonly record struct WorkflowId
{
    public const string Prefix = "workflow/";

    /// <summary>What tells the short id of a workflow from that of a job.</summary>
    public const string ShortPrefix = "w-";

    public WorkflowId(HomeId home, Ulid ulid)
    {
        Invariant.Check(!home.IsNone);
        Home = home;
        Ulid = ulid;
    }

    public HomeId Home { get; }

    public Ulid Ulid { get; }

    public bool IsNone => Home.IsNone;

    /// <summary>What people type and read: unique among few workflows only.</summary>
    public string Short => ShortPrefix + Ulid.ToString()[^JobId.ShortLength..];

    /// <summary>The same home and key give the same workflow.</summary>
    /// <exception cref="MeshException">AM0308: the key is empty or too long.</exception>
    public static WorkflowId FromIdempotencyKey(HomeId home, string key) => new(home, IdempotencyKeys.UlidOf($"workflow/{home}", key));

    /// <summary>The job of a step on a device. The same values give the same job, so that whatever is repeated after a crash reaches it.</summary>
    /// <param name="generation">From 1; another one for each time the step begins anew.</param>
    public JobId JobOf(string step, DeviceId device, int generation) =>
        new(Home, Ulid.FromHash(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{this}/{step}/{generation}/{device}")))));

    public static bool TryParse([NotNullWhen(true)] string? text, out WorkflowId id)
    {
        bool isId = HomePath.TryParse(text, Prefix, out HomeId home, out Ulid ulid);
        id = isId ? new WorkflowId(home, ulid) : default;
        return isId;
    }

    public override string ToString() => IsNone ? "(none)" : $"{Prefix}{Home}/{Ulid}";
}
