using System.Threading.Channels;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Remote.Transport;
using Akka.Serialization;
using Google.Protobuf;

namespace AgentMesh.EngineTests.Remote;

/// <summary>Another system as far as bytes go: it says what a test wants it to say, in the order the test wants.</summary>
internal sealed class RawPeer
{
    private readonly TestTransport _transport;

    private RawPeer(TestTransport transport, string host)
    {
        _transport = transport;
        Address = RemoteLab.AddressOf(host);
    }

    public Address Address { get; }

    public static async Task<RawPeer> Start(RemoteLab lab, string host, Action<InboundAssociation>? called = null)
    {
        var transport = new TestTransport(new Address("test", "lab", host, 1), lab.Registry);
        (await transport.Listen()).Item2.SetResult(new Listener(called ?? (_ => { })));
        return new RawPeer(transport, host);
    }

    public async Task<Connection> Connect(string to)
    {
        var handle = (TestAssociationHandle)await _transport.Associate(new Address("test", "lab", to, 1));
        var connection = new Connection(handle);
        handle.ReadHandlerSource.SetResult(connection);
        return connection;
    }

    /// <summary>A connection that has been welcomed.</summary>
    public async Task<Connection> Greet(string to, long incarnation, ulong attempt = 1)
    {
        Connection connection = await Connect(to);
        connection.Send(Hello(to, incarnation, attempt));
        Assert.Equal(Frame.KindOneofCase.Welcome, (await connection.Next()).KindCase);
        return connection;
    }

    public Frame Hello(string to, long incarnation, ulong attempt = 1, string? origin = null) => new()
    {
        Hello = new Hello { Version = 1, Origin = origin ?? Address.ToString(), Destination = RemoteLab.AddressOf(to).ToString(), Incarnation = (ulong)incarnation, Attempt = attempt },
    };

    /// <summary>One message as a batch.</summary>
    public Frame Message(ActorSystem writer, IActorRef recipient, string to, object message, ulong systemSequence = 0)
    {
        Serialization serialization = ((ExtendedActorSystem)writer).Serialization;
        Serializer serializer = serialization.FindSerializerFor(message);
        byte[] payload = serializer.ToBinary(message);
        string manifest = Serialization.ManifestFor(serializer, message);
        var batch = new Batch();
        batch.Paths.Add(recipient.Path.ToSerializationFormatWithAddress(RemoteLab.AddressOf(to)));
        batch.Manifests.Add(manifest);
        batch.Envelopes.Add(new AgentMesh.Engine.Wire.Envelope
        {
            Recipient = 0,
            Serializer = serializer.Identifier,
            Manifest = manifest.Length == 0 ? 0u : 1u,
            Payload = ByteString.CopyFrom(payload),
            SystemSequence = systemSequence,
        });
        return new Frame { Batch = batch };
    }

    internal sealed class Connection(TestAssociationHandle handle) : IHandleEventListener
    {
        private readonly Channel<Frame> _frames = Channel.CreateUnbounded<Frame>();
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task.WaitAsync(RemoteLab.Patience);

        public void Notify(IHandleEvent ev)
        {
            if (ev is InboundPayload payload)
                _frames.Writer.TryWrite(Frame.Parser.ParseFrom(payload.Payload));
            else if (ev is Disassociated)
                _ended.TrySetResult();
        }

        public bool Send(Frame frame) => handle.Write(frame.ToByteString());

        public async Task<Frame> Next()
        {
            using var limit = new CancellationTokenSource(RemoteLab.Patience);
            return await _frames.Reader.ReadAsync(limit.Token);
        }
    }

    private sealed class Listener(Action<InboundAssociation> called) : IAssociationEventListener
    {
        public void Notify(IAssociationEvent ev)
        {
            if (ev is InboundAssociation inbound)
                called(inbound);
        }
    }
}
