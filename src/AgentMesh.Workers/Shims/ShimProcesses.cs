using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Shims;

/// <summary>Those of this machine.</summary>
internal sealed class ShimProcesses : IShims
{
    private ShimProcesses()
    {
    }

    public static ShimProcesses Instance { get; } = new();

    public Task StartAsync(ShimCommand command, string directory, TimeProvider time) => ShimProcess.StartAsync(command, directory, time);

    public async Task<IShimLink> OpenAsync(string directory, CancellationToken cancellationToken) => await ShimConnection.OpenAsync(directory, cancellationToken).ConfigureAwait(false);

    public bool IsAlive(ShimRecord record) => LivingPrograms.IsAlive(record);

    public void End(ShimRecord record) => ShimProcess.End(record);

    public void KillStrays(AttemptKey key) => StrayProcesses.Kill(key);
}
