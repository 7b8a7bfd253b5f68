using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Supervision;

/// <summary>Is told of every attempt that comes to this device. Called from any thread.</summary>
public interface IAttemptAudit
{
    /// <summary>Before anything of it runs.</summary>
    /// <exception cref="MeshException">It cannot be written down, and must not run.</exception>
    void Taken(AttemptOrder order);

    /// <summary>It ran, or nothing of it did; never throws.</summary>
    void Over(AttemptKey attempt, AttemptResult result);
}
