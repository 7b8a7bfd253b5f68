using AgentMesh.Journal;
using AgentMesh.Mesh;

namespace AgentMesh.Node.Pools;

/// <summary>The output of jobs where their home keeps it: in files of this device, or in the database of its pool.</summary>
internal sealed class RoutedOutput(IOutputStore device, IOutputStore pool) : IOutputStore
{
    public Task<OutputAppendResult> AppendAsync(OutputAddress address, long offset, ReadOnlyMemory<byte> data) => Of(address.JobId).AppendAsync(address, offset, data);

    public Task<OutputAppendStatus> StartAttemptAsync(string jobId, int attempt) => Of(jobId).StartAttemptAsync(jobId, attempt);

    public Task<OutputAppendStatus> SetFinalLengthsAsync(string jobId, int attempt, IReadOnlyDictionary<OutputStreamKind, long> lengths) => Of(jobId).SetFinalLengthsAsync(jobId, attempt, lengths);

    public ValueTask<OutputSlice> ReadAsync(OutputAddress address, long offset, int bytesMax, CancellationToken cancellation = default) => Of(address.JobId).ReadAsync(address, offset, bytesMax, cancellation);

    public Task<OutputState> WaitForLengthAsync(OutputAddress address, long length, CancellationToken cancellation) => Of(address.JobId).WaitForLengthAsync(address, length, cancellation);

    public ValueTask DeleteAsync(string jobId) => Of(jobId).DeleteAsync(jobId);

    private IOutputStore Of(string jobId) => JobId.TryParse(jobId, out JobId job) && job.Home.IsPool ? pool : device;
}
