using AgentMesh.Errors;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Shims;

/// <summary>Shims as processes beside the node: what of them is not in the files of their attempts.</summary>
internal interface IShims
{
    /// <summary>Starts the shim of an attempt, whose directory has the launch file.</summary>
    /// <exception cref="MeshException">AM0614: the shim says why not; nothing of the program has run.</exception>
    Task StartAsync(ShimCommand command, string directory, TimeProvider time);

    /// <exception cref="IOException">Nobody listens (any more).</exception>
    Task<IShimLink> OpenAsync(string directory, CancellationToken cancellationToken);

    /// <summary>False also where it ran before the machine was started again.</summary>
    bool IsAlive(ShimRecord record);

    /// <summary>Kills the group of the program, and the shim. Nothing where they have ended.</summary>
    void End(ShimRecord record);

    /// <summary>Kills what an attempt has started, wherever it is.</summary>
    void KillStrays(AttemptKey key);
}

/// <summary>The node's end of a conversation with a shim; see <see cref="ShimFrame"/>.</summary>
internal interface IShimLink : IDisposable
{
    /// <returns>Null when the shim has ended.</returns>
    Task<ShimFrame?> ReadAsync(byte[] buffer, CancellationToken cancellationToken);

    /// <summary>Does nothing where the shim has ended: its reader notices.</summary>
    Task SendAsync(ShimFrame frame, CancellationToken cancellationToken);

    /// <param name="bytes">A frame and the input that follows it. A wait that is cancelled leaves it half sent: then the connection is of no more use.</param>
    Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);
}
