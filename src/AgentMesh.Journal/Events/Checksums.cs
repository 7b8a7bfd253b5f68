using AgentMesh.Errors;
using AgentMesh.Journal.Storage;

namespace AgentMesh.Journal.Events;

/// <summary>CRC-32C over everything that a row means, so that a flipped bit is found where SQLite's own structure checks cannot see it.</summary>
internal static class Checksums
{
    public static long OfEvent(string persistenceId, in EventRecord e, long previousSequence, long epoch)
    {
        Crc32C crc = Crc32C.Start();
        crc.Add(persistenceId);
        crc.Add(e.SequenceNr);
        crc.Add(previousSequence);
        crc.Add(epoch);
        crc.Add(e.SerializerId);
        crc.Add(e.Manifest);
        crc.Add(e.WriterGuid);
        crc.Add(e.Timestamp);
        crc.Add(e.Payload.LongLength);
        crc.Add(e.Payload);
        return crc.Value;
    }

    public static long OfSnapshot(StoredSnapshot s)
    {
        Crc32C crc = Crc32C.Start();
        crc.Add(s.PersistenceId);
        crc.Add(s.SequenceNr);
        crc.Add(s.Timestamp);
        crc.Add(s.SerializerId);
        crc.Add(s.Manifest);
        crc.Add(s.Payload.LongLength);
        crc.Add(s.Payload);
        return crc.Value;
    }

    public static MeshException Damaged(string path, string what) =>
        new(JournalErrors.Damaged, $"{path} is damaged: {what}", "stop the node and restore the data directory from a backup; see docs/errors/AM0402.md");
}
