using Akka.Actor;

namespace Akka.Persistence.Serialization
{
    /// <summary>Marks what may be stored.</summary>
    public interface IMessage;
}

namespace Akka.Persistence
{
    /// <summary>An event with what the journal must know of it.</summary>
    public interface IPersistentRepresentation : Serialization.IMessage
    {
        object Payload { get; }

        /// <summary>The event adapter's name for the type; empty where there is none. Serializers keep manifests of their own.</summary>
        string Manifest { get; }

        string PersistenceId { get; }

        /// <summary>Position in the stream of the persistence id, from 1.</summary>
        long SequenceNr { get; }

        /// <summary>Identifies the incarnation of the actor that wrote it.</summary>
        string WriterGuid { get; }

        bool IsDeleted { get; }

        /// <summary>Sender of the command that led to the event; not stored.</summary>
        IActorRef Sender { get; }

        /// <summary>When it was written, 0 where the journal keeps no time. The unit is the journal's.</summary>
        long Timestamp { get; }

        IPersistentRepresentation WithPayload(object payload);

        IPersistentRepresentation WithManifest(string manifest);

        IPersistentRepresentation Update(long sequenceNr, string persistenceId, bool isDeleted, IActorRef sender, string writerGuid);

        IPersistentRepresentation WithTimestamp(long timestamp);
    }

    public class Persistent : IPersistentRepresentation
    {
        public Persistent(
            object payload,
            long sequenceNr = 0,
            string? persistenceId = null,
            string? manifest = null,
            bool isDeleted = false,
            IActorRef? sender = null,
            string? writerGuid = null,
            long timestamp = 0)
        {
            Payload = payload;
            SequenceNr = sequenceNr;
            PersistenceId = persistenceId ?? Undefined;
            Manifest = manifest ?? Undefined;
            IsDeleted = isDeleted;
            Sender = sender ?? ActorRefs.NoSender;
            WriterGuid = writerGuid ?? Undefined;
            Timestamp = timestamp;
        }

        public static string Undefined { get; } = string.Empty;

        public object Payload { get; }

        public long SequenceNr { get; }

        public string PersistenceId { get; }

        public string Manifest { get; }

        public bool IsDeleted { get; }

        public IActorRef Sender { get; }

        public string WriterGuid { get; }

        public long Timestamp { get; }

        public IPersistentRepresentation WithPayload(object payload) =>
            new Persistent(payload, SequenceNr, PersistenceId, Manifest, IsDeleted, Sender, WriterGuid, Timestamp);

        public IPersistentRepresentation WithManifest(string manifest) =>
            manifest == Manifest ? this : new Persistent(Payload, SequenceNr, PersistenceId, manifest, IsDeleted, Sender, WriterGuid, Timestamp);

        public IPersistentRepresentation Update(long sequenceNr, string persistenceId, bool isDeleted, IActorRef sender, string writerGuid) =>
            new Persistent(Payload, sequenceNr, persistenceId, Manifest, isDeleted, sender, writerGuid, Timestamp);

        public IPersistentRepresentation WithTimestamp(long newTimestamp) =>
            new Persistent(Payload, SequenceNr, PersistenceId, Manifest, IsDeleted, Sender, WriterGuid, newTimestamp);

        public override string ToString() => $"Persistent<pid: {PersistenceId}, seqNr: {SequenceNr}, writerGuid: {WriterGuid}, payload: {Payload}>";
    }
}
