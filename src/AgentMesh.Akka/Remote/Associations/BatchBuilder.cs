using System.Text;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;

namespace Akka.Remote.Associations;

/// <summary>Puts messages together into one payload; paths and manifests that repeat are written once.</summary>
internal sealed class BatchBuilder(ExtendedActorSystem system, long payloadBytesMax)
{
    // What the frame around the envelopes takes at most.
    private const int FrameBytes = 64;

    private readonly Dictionary<string, uint> _paths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, uint> _manifests = new(StringComparer.Ordinal);
    private Batch _batch = new();

    public int Bytes { get; private set; }

    public bool IsEmpty => _batch.Envelopes.Count == 0;

    /// <returns>False when the message is too large for the rest of this payload; it is not added then.</returns>
    /// <exception cref="System.Runtime.Serialization.SerializationException">The message cannot be written.</exception>
    public bool TryAdd(in Outgoing outgoing, ulong systemSequence)
    {
        Serializer serializer = system.Serialization.FindSerializerFor(outgoing.Message);
        (Serializer, object) state = (serializer, outgoing.Message);
        byte[] payload = Akka.Serialization.Serialization.WithTransport(system, state, static s => s.Item1.ToBinary(s.Item2));
        string manifest = Akka.Serialization.Serialization.ManifestFor(serializer, outgoing.Message);
        string recipient = outgoing.Recipient.Path.ToSerializationFormat();
        string sender = outgoing.Sender is null ? string.Empty : Akka.Serialization.Serialization.WithTransport(system, outgoing.Sender, static s => Akka.Serialization.Serialization.SerializedActorPath(s));
        int size = payload.Length + Encoding.UTF8.GetByteCount(recipient) + Encoding.UTF8.GetByteCount(sender) + Encoding.UTF8.GetByteCount(manifest) + 32;
        if (Bytes + size + FrameBytes > payloadBytesMax)
            return false;
        Bytes += size;
        _batch.Envelopes.Add(new AgentMesh.Engine.Wire.Envelope
        {
            Recipient = IndexOf(_paths, _batch.Paths, recipient),
            Sender = sender.Length == 0 ? 0 : IndexOf(_paths, _batch.Paths, sender) + 1,
            Serializer = serializer.Identifier,
            Manifest = manifest.Length == 0 ? 0 : IndexOf(_manifests, _batch.Manifests, manifest) + 1,
            Payload = UnsafeByteOperations.UnsafeWrap(payload),
            SystemSequence = systemSequence,
        });
        return true;
    }

    /// <summary>The payload; the builder starts again empty.</summary>
    public ByteString Take()
    {
        ByteString payload = new Frame { Batch = _batch }.ToByteString();
        _batch = new Batch();
        _paths.Clear();
        _manifests.Clear();
        Bytes = 0;
        return payload;
    }

    private static uint IndexOf(Dictionary<string, uint> known, ICollection<string> written, string text)
    {
        if (!known.TryGetValue(text, out uint index))
        {
            index = (uint)written.Count;
            known.Add(text, index);
            written.Add(text);
        }

        return index;
    }
}
