using System.Buffers.Binary;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Node.Artifacts;

/// <summary>Names of the bulk services for artifacts. Documented in <c>docs/protocol/artifact-v1.md</c>.</summary>
internal static class ArtifactServices
{
    public const string Append = "artifact-append";
    public const string Read = "artifact-read";
}

/// <summary>Why the home does not serve a request; it stands as the offset of a refusing frame.</summary>
internal enum ArtifactRefusal : byte
{
    UnknownJob = 1,
    OlderAttempt = 2,
    NotYours = 3,

    /// <summary>Not now: the asker tries again.</summary>
    NotNow = 4,

    /// <summary>The store is full, or its disk is: the asker tries again for a while.</summary>
    NoRoom = 5,

    TooLarge = 6,

    /// <summary>What came is not what was announced: it is sent again from its beginning.</summary>
    Damaged = 7,

    /// <summary>The content is not in the store any more.</summary>
    Gone = 8,
}

/// <summary>What a failure of a store means to the device that asked.</summary>
internal static class ArtifactRefusals
{
    /// <summary>What is missing when it is named was removed since it came: it is sent again. A database that is away comes back.</summary>
    public static ArtifactRefusal WhenTaking(MeshException error) => error.Code is JournalErrors.ArtifactGone ? ArtifactRefusal.NotNow : Of(error);

    public static ArtifactRefusal Of(MeshException error) => error.Code switch
    {
        JournalErrors.ArtifactTooLarge => ArtifactRefusal.TooLarge,
        JournalErrors.ArtifactStoreFull or JournalErrors.DiskFull => ArtifactRefusal.NoRoom,
        JournalErrors.ArtifactGone => ArtifactRefusal.Gone,
        JournalErrors.ArtifactDamaged => ArtifactRefusal.Damaged,
        JournalErrors.ArtifactNotStored when error.InnerException is not null => ArtifactRefusal.NoRoom,
        _ => ArtifactRefusal.NotNow,
    };
}

/// <summary>
/// First bytes of both services: 2 bytes length and the job id, 4 bytes attempt, 1 byte length and the name, 32 bytes SHA-256, 8 bytes size, 8 bytes
/// offset. Little-endian, texts in UTF-8. The name is that of the artifact, or of the input.
/// </summary>
internal readonly record struct ArtifactRequest(JobId Job, int Attempt, string Name, ContentHash Hash, long Size, long Offset)
{
    private const int JobIdBytesMax = 512;
    private const int NameBytesMax = 100;
    private const int TailBytes = ContentHash.Bytes + 16;

    public static ArtifactRequest Of(AttemptKey key, string name, ContentHash hash, long size, long offset) => new(key.Job, key.Attempt, name, hash, size, offset);

    public ValueTask SendAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] job = Encoding.UTF8.GetBytes(Job.ToString()), name = Encoding.UTF8.GetBytes(Name);
        byte[] message = new byte[2 + job.Length + 5 + name.Length + TailBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(message, (ushort)job.Length);
        job.CopyTo(message, 2);
        Span<byte> rest = message.AsSpan(2 + job.Length);
        BinaryPrimitives.WriteInt32LittleEndian(rest, Attempt);
        rest[4] = (byte)name.Length;
        name.CopyTo(rest[5..]);
        rest = rest[(5 + name.Length)..];
        Hash.ToBytes().CopyTo(rest);
        BinaryPrimitives.WriteInt64LittleEndian(rest[ContentHash.Bytes..], Size);
        BinaryPrimitives.WriteInt64LittleEndian(rest[(ContentHash.Bytes + 8)..], Offset);
        return stream.WriteAsync(message, cancellationToken);
    }

    /// <summary>Null for bytes that are no request.</summary>
    public static async ValueTask<ArtifactRequest?> ReadAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] length = new byte[2];
        if (!await stream.TryFillAsync(length, cancellationToken).ConfigureAwait(false) || BinaryPrimitives.ReadUInt16LittleEndian(length) is not (> 0 and <= JobIdBytesMax and var jobBytes))
        {
            return null;
        }

        byte[] job = new byte[jobBytes + 5];
        if (!await stream.TryFillAsync(job, cancellationToken).ConfigureAwait(false) || job[^1] is not (> 0 and <= NameBytesMax and var nameBytes))
        {
            return null;
        }

        byte[] rest = new byte[nameBytes + TailBytes];
        return await stream.TryFillAsync(rest, cancellationToken).ConfigureAwait(false) ? Read(job.AsSpan(0, jobBytes), BinaryPrimitives.ReadInt32LittleEndian(job.AsSpan(jobBytes)), rest.AsSpan(0, nameBytes), rest.AsSpan(nameBytes)) : null;
    }

    private static ArtifactRequest? Read(ReadOnlySpan<byte> job, int attempt, ReadOnlySpan<byte> name, ReadOnlySpan<byte> tail)
    {
        string text = Encoding.UTF8.GetString(name);
        long size = BinaryPrimitives.ReadInt64LittleEndian(tail[ContentHash.Bytes..]), offset = BinaryPrimitives.ReadInt64LittleEndian(tail[(ContentHash.Bytes + 8)..]);
        return JobId.TryParse(Encoding.UTF8.GetString(job), out JobId id) && attempt >= 1 && ArtifactNames.IsName(text) && size >= 0 && offset >= 0 && offset <= size
            ? new ArtifactRequest(id, attempt, text, ContentHash.Of(tail[..ContentHash.Bytes]), size, offset)
            : null;
    }
}
