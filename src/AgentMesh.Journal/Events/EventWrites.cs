using AgentMesh.Journal.Sqlite;

namespace AgentMesh.Journal.Events;

/// <summary>What the writes do inside the shared transaction. Refusals are decided before anything is changed, so that they cost their neighbours nothing.</summary>
internal static class EventWrites
{
    public static AppendResult Append(JournalStatements s, EventAppend append, long now)
    {
        (long key, long highest, long lastEvent, long epoch, bool isRemoved) = Find(s, append.PersistenceId);
        if (append.Epoch < epoch)
        {
            return new AppendResult(AppendStatus.OlderEpoch, highest, epoch);
        }

        if (append.PreviousSequence != highest)
        {
            return new AppendResult(AppendStatus.WrongSequence, highest, epoch);
        }

        if (isRemoved)
        {
            // It begins anew, as the newest entity, and goes on counting.
            s.DropEntity.Bind(key).Execute();
            key = 0;
            lastEvent = 0;
        }

        IReadOnlyList<EventRecord> events = append.Events;
        if (events.Count == 0)
        {
            if (key == 0)
            {
                AddEntity(s, append, 0, string.Empty, now, now);
            }
            else
            {
                s.TouchEntity.Bind(key).Bind(append.LastSequence).Bind(append.Epoch).Execute();
            }

            return new AppendResult(AppendStatus.Stored, append.LastSequence, append.Epoch);
        }

        EventRecord last = events[^1];
        if (key == 0)
        {
            key = AddEntity(s, append, last.SequenceNr, last.Manifest, events[0].Timestamp, last.Timestamp);
        }
        else
        {
            s.AdvanceEntity.Bind(key).Bind(append.LastSequence).Bind(last.SequenceNr).Bind(append.Epoch).Bind(last.Manifest).Bind(last.Timestamp).Execute();
        }

        for (int i = 0; i < events.Count; i++)
        {
            EventRecord e = events[i];
            s.AddEvent
                .Bind(key).Bind(e.SequenceNr).Bind(lastEvent).Bind(append.Epoch).Bind(e.SerializerId).Bind(e.Manifest).Bind(e.Payload).Bind(e.WriterGuid).Bind(e.Timestamp)
                .Bind(Checksums.OfEvent(append.PersistenceId, e, lastEvent, append.Epoch))
                .Execute();
            lastEvent = e.SequenceNr;
        }

        return new AppendResult(AppendStatus.Stored, append.LastSequence, append.Epoch);
    }

    /// <summary>Removes events up to and including the bound; the entity's highest sequence number stays.</summary>
    public static long DeleteTo(JournalStatements s, string persistenceId, long toSequenceNr)
    {
        (long key, long highest, _, _, _) = Find(s, persistenceId);
        if (key == 0)
        {
            return 0;
        }

        long bound = Math.Min(toSequenceNr, highest);
        s.DeleteEvents.Bind(key).Bind(bound).Execute();
        s.MarkDeleted.Bind(key).Bind(bound).Execute();
        return bound;
    }

    public static bool SaveSnapshot(JournalStatements s, StoredSnapshot snapshot)
    {
        s.AddSnapshot
            .Bind(snapshot.PersistenceId).Bind(snapshot.SequenceNr).Bind(snapshot.Timestamp).Bind(snapshot.SerializerId).Bind(snapshot.Manifest).Bind(snapshot.Payload)
            .Bind(Checksums.OfSnapshot(snapshot))
            .Execute();
        return true;
    }

    public static bool DeleteSnapshots(JournalStatements s, string persistenceId, SnapshotBounds bounds)
    {
        s.DeleteSnapshots.Bind(persistenceId).Bind(bounds.MinSequenceNr).Bind(bounds.MaxSequenceNr).Bind(bounds.MinTimestamp).Bind(bounds.MaxTimestamp).Execute();
        return true;
    }

    /// <returns>False where the entity stands elsewhere, or is not there.</returns>
    public static bool Remove(JournalStatements s, string persistenceId, long highestSequence, long now)
    {
        (long key, long highest, _, _, bool isRemoved) = Find(s, persistenceId);
        if (key == 0 || isRemoved || highest != highestSequence)
        {
            return false;
        }

        s.DeleteEvents.Bind(key).Bind(long.MaxValue).Execute();
        DeleteSnapshots(s, persistenceId, SnapshotBounds.All);
        s.RemoveEntity.Bind(key).Bind(now).Execute();
        return true;
    }

    public static bool ForgetRemoved(JournalStatements s, string persistenceId)
    {
        (long key, _, _, _, bool isRemoved) = Find(s, persistenceId);
        if (isRemoved)
        {
            s.DropEntity.Bind(key).Execute();
        }

        return isRemoved;
    }

    private static (long Key, long Highest, long LastEvent, long Epoch, bool IsRemoved) Find(JournalStatements s, string persistenceId)
    {
        Statement find = s.FindEntity.Bind(persistenceId);
        try
        {
            return find.Step() ? (find.GetInt64(0), find.GetInt64(1), find.GetInt64(2), find.GetInt64(3), find.GetInt64(4) != 0) : (0, 0, 0, 0, false);
        }
        finally
        {
            find.Reset();
        }
    }

    private static long AddEntity(JournalStatements s, EventAppend append, long lastEvent, string manifest, long firstAt, long lastAt) =>
        s.AddEntity
            .Bind(append.PersistenceId).Bind(JournalSchema.CategoryOf(append.PersistenceId)).Bind(append.LastSequence).Bind(lastEvent)
            .Bind(append.Epoch).Bind(manifest).Bind(firstAt).Bind(lastAt)
            .ExecuteInt64();
}
