using System.Buffers.Binary;
using AgentMesh.Errors;
using AgentMesh.Transport;
using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;
#if !AKKA_NET
using AgentMesh.Engine.Remote;
#endif

namespace AgentMesh.Remoting;

/// <summary>An association between two actor systems: two streams of one connection, so that what the cluster lives by is never behind ordinary messages.</summary>
internal sealed class MeshAssociation : AssociationHandle
#if !AKKA_NET
    , IControlLane, IWriteReadiness
#endif
{
    private static readonly TimeSpan WriteOutWithin = TimeSpan.FromMilliseconds(500);

    private readonly TimeProvider _time;
    private readonly IMeshStream _controlStream;
    private readonly IMeshStream _ordinaryStream;
    private readonly FrameWriter _control;
    private readonly FrameWriter _ordinary;
    private readonly int _payloadBytesMax;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isEnded;

    public MeshAssociation(Address local, Address remote, IMeshStream control, IMeshStream ordinary, int payloadBytesMax, TimeProvider time)
        : base(local, remote)
    {
        _controlStream = control;
        _ordinaryStream = ordinary;
        _payloadBytesMax = payloadBytesMax;
        _time = time;
        _control = new FrameWriter(control);
        _ordinary = new FrameWriter(ordinary);
        _ = ReadLaneAsync(control);
        _ = ReadLaneAsync(ordinary);
    }

    /// <summary>Completes when the association is over.</summary>
    public Task Ended => _ended.Task;

    public override bool Write(ByteString payload) => _ordinary.TryWrite(payload);

    public bool WriteControl(ByteString payload) => _control.TryWrite(payload);

    public void NotifyWhenWritable(Action callback) => _ordinary.NotifyWhenWritable(callback);

    public override void Disassociate()
    {
        _control.Complete();
        _ordinary.Complete();
        _ = EndWhenWrittenAsync();
    }

    private async Task EndWhenWrittenAsync()
    {
        // A goodbye is short; a peer that takes nothing must not hold the streams for ever.
        await Task.WhenAny(Task.WhenAll(_control.Running, _ordinary.Running), Task.Delay(WriteOutWithin, _time)).ConfigureAwait(false);
        End();
    }

    private void End()
    {
        if (Interlocked.Exchange(ref _isEnded, 1) != 0)
        {
            return;
        }

        _control.Complete();
        _ordinary.Complete();
        _controlStream.Abort(StreamCodes.Done);
        _ordinaryStream.Abort(StreamCodes.Done);
        _ended.TrySetResult();
        _ = TellAsync();
    }

    private async Task TellAsync() =>
        (await ReadHandlerSource.Task.ConfigureAwait(false)).Notify(new Disassociated(DisassociateInfo.Unknown));

    private async Task ReadLaneAsync(IMeshStream stream)
    {
        try
        {
            IHandleEventListener listener = await ReadHandlerSource.Task.ConfigureAwait(false);
            byte[] header = new byte[sizeof(int)];
            while (await stream.TryReadExactAsync(header, CancellationToken.None).ConfigureAwait(false))
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(header);
                if (length < 0 || length > _payloadBytesMax)
                {
                    break;
                }

                byte[] payload = GC.AllocateUninitializedArray<byte>(length);
                if (!await stream.TryReadExactAsync(payload, CancellationToken.None).ConfigureAwait(false))
                {
                    break;
                }

                listener.Notify(new InboundPayload(UnsafeByteOperations.UnsafeWrap(payload)));
            }
        }
        catch (Exception error) when (error is IOException or MeshException)
        {
            // The connection is gone.
        }

        End();
    }
}
