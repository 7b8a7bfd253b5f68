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
/// <remarks>
/// The end in good order is a half-close: both sides finish their streams and read the other's to the end, so that a goodbye arrives. A side that
/// does not do so in time, and bytes that are no frames, end it at once.
/// </remarks>
internal sealed class MeshAssociation : AssociationHandle
#if !AKKA_NET
    , IControlLane, IWriteReadiness
#endif
{
    /// <summary>For the end in good order. Nobody waits for it: the streams outlive the actor system.</summary>
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly IMeshStream _controlStream;
    private readonly IMeshStream _ordinaryStream;
    private readonly FrameWriter _control;
    private readonly FrameWriter _ordinary;
    private readonly int _payloadBytesMax;
    private readonly Task _read;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isEnding;
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
        _ = EndUnlessWrittenAsync(_control);
        _ = EndUnlessWrittenAsync(_ordinary);
        _read = Task.WhenAll(ReadLaneAsync(control), ReadLaneAsync(ordinary));
    }

    /// <summary>Completes when the association is over.</summary>
    public Task Ended => _ended.Task;

    public override bool Write(ByteString payload) => _ordinary.TryWrite(payload);

    public bool WriteControl(ByteString payload) => _control.TryWrite(payload);

    public void NotifyWhenWritable(Action callback) => (_control.IsFull ? _control : _ordinary).NotifyWhenWritable(callback);

    public override void Disassociate()
    {
        _control.Complete();
        _ordinary.Complete();
        if (Interlocked.Exchange(ref _isEnding, 1) == 0)
        {
            _ = EndInOrderAsync();
        }
    }

    private async Task EndInOrderAsync()
    {
        // A peer that takes nothing, or does not finish, must not hold the streams for ever.
        await Task.WhenAny(Task.WhenAll(_control.Running, _ordinary.Running, _read), Task.Delay(EndWithin, _time)).ConfigureAwait(false);
        End();
    }

    private async Task EndUnlessWrittenAsync(FrameWriter lane)
    {
        if (!await lane.Running.ConfigureAwait(false))
        {
            End();
        }
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

    /// <summary>Half an association is none: whatever ends one lane without order ends both.</summary>
    private async Task ReadLaneAsync(IMeshStream stream)
    {
        bool isFinished = false;
        try
        {
            isFinished = await ReadFramesAsync(stream).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or MeshException or ObjectDisposedException)
        {
            // The connection is gone.
        }
        finally
        {
            if (isFinished)
            {
                _ = FollowAsync();
            }
            else
            {
                End();
            }
        }
    }

    /// <returns>True when the other side has finished the stream behind a whole frame.</returns>
    private async Task<bool> ReadFramesAsync(IMeshStream stream)
    {
        IHandleEventListener listener = await ReadHandlerSource.Task.ConfigureAwait(false);
        byte[] header = new byte[sizeof(int)];
        while (true)
        {
            int read = await stream.FillAsync(header, CancellationToken.None).ConfigureAwait(false);
            if (read < header.Length)
            {
                return read == 0;
            }

            int length = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (length < 0 || length > _payloadBytesMax)
            {
                return false;
            }

            byte[] payload = GC.AllocateUninitializedArray<byte>(length);
            if (!await stream.TryFillAsync(payload, CancellationToken.None).ConfigureAwait(false))
            {
                return false;
            }

            listener.Notify(new InboundPayload(UnsafeByteOperations.UnsafeWrap(payload)));
        }
    }

    /// <summary>The other side has finished one lane: it ends the association. What the other lane carries is read first.</summary>
    private async Task FollowAsync()
    {
        await Task.WhenAny(_read, Task.Delay(EndWithin, _time)).ConfigureAwait(false);
        Disassociate();
    }
}
