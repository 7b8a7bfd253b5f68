using AgentMesh.Errors;

namespace AgentMesh.Journal;

/// <summary>What jobs wrote, by job, attempt, stream and byte offset: in files of a device, or in the database of a pool.</summary>
/// <remarks>Thread-safe. Appends of one caller are taken in the order of the calls, without waiting for one another. Payloads are not kept after a task has ended.</remarks>
public interface IOutputStore
{
    /// <summary>
    /// Stores bytes at an offset. What is stored already is ignored (a repeat is harmless), a gap is refused, an older attempt is refused once a newer one
    /// has started; an attempt starts with its first append. Ends when the bytes are stored for good.
    /// </summary>
    /// <exception cref="MeshException">The storage failed, is full, or the job has too much output (<c>AM0422</c>).</exception>
    Task<OutputAppendResult> AppendAsync(OutputAddress address, long offset, ReadOnlyMemory<byte> data);

    /// <summary>Starts an attempt before its first output, so that older ones are refused from now on. Repeating it is harmless.</summary>
    Task<OutputAppendStatus> StartAttemptAsync(string jobId, int attempt);

    /// <summary>
    /// Records how much an ended attempt wrote to each stream; streams that are not named are empty. Repeating it with the same lengths is harmless; lengths
    /// below what is stored, or others than before, are refused.
    /// </summary>
    Task<OutputAppendStatus> SetFinalLengthsAsync(string jobId, int attempt, IReadOnlyDictionary<OutputStreamKind, long> lengths);

    /// <summary>Reads acknowledged bytes from an offset; fewer than asked for at the end, none beyond it.</summary>
    /// <exception cref="MeshException"><c>AM0420</c> when what is stored there is damaged.</exception>
    ValueTask<OutputSlice> ReadAsync(OutputAddress address, long offset, int bytesMax, CancellationToken cancellation = default);

    /// <summary>Ends when the stream is longer than <paramref name="length"/>, or is complete, or a newer attempt has started.</summary>
    Task<OutputState> WaitForLengthAsync(OutputAddress address, long length, CancellationToken cancellation);

    /// <summary>Removes the output of a job; a reader in the middle of it sees an empty stream.</summary>
    ValueTask DeleteAsync(string jobId);
}
