using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Transport;

/// <summary>What the streams of one <see cref="MeshConnection"/> ask of it, under its lock.</summary>
/// <param name="pump">Sends what is due, tells what happened and sets the timer; called with the lock held.</param>
internal sealed class StreamCalls(Connection connection, Lock gate, Action pump, Func<TimeSpan> now, DeviceId remote)
{
    public int Read(MeshStream stream, Span<byte> destination, out Task wait)
    {
        lock (gate)
        {
            wait = Task.CompletedTask;
            ThrowIfEnded();
            ProtocolStream inner = stream.Inner;
            TimeSpan creditAt = connection.Streams.CreditAt;
            int count = connection.Streams.Read(inner, destination, now());
            if (count > 0)
            {
                // Allowances travel with the next packet; only when nothing else would carry them are they sent now, and so is what has to wait for its time.
                if (connection.Streams.HasControl || connection.Streams.CreditAt < creditAt)
                {
                    pump();
                }

                return count;
            }

            if (inner.Receive.ResetCode is { } code)
            {
                throw new StreamAbortedException(code, "the other side gave the stream up");
            }

            if (inner.Receive.IsDone || inner.Receive.IsStopped || destination.IsEmpty)
            {
                pump();
                return 0;
            }

            wait = stream.Readable.Wait();
            return -1;
        }
    }

    public int Write(MeshStream stream, ReadOnlySpan<byte> data, out Task wait)
    {
        lock (gate)
        {
            ThrowIfEnded();
            SendHalf send = stream.Inner.Send;
            if (!send.CanWrite)
            {
                throw new StreamAbortedException(send.ResetCode ?? 0, send.ResetCode is null ? "the stream was completed" : "the stream was given up");
            }

            int taken = connection.Streams.Write(stream.Inner, data);
            wait = taken < data.Length ? stream.Writable.Wait() : Task.CompletedTask;
            pump();
            return taken;
        }
    }

    public void Finish(MeshStream stream)
    {
        lock (gate)
        {
            if (connection.IsOpen)
            {
                connection.Streams.Finish(stream.Inner);
                pump();
            }
        }
    }

    /// <summary>Both directions end at once, bytes on the way included.</summary>
    public void Abort(MeshStream stream, ulong code) => GiveUp(stream, code, keepsWhatWasFinished: false);

    /// <summary>Nobody uses the stream any more. What was completed is still sent.</summary>
    public void Leave(MeshStream stream) => GiveUp(stream, 0, keepsWhatWasFinished: true);

    private void GiveUp(MeshStream stream, ulong code, bool keepsWhatWasFinished)
    {
        lock (gate)
        {
            if (!connection.IsOpen)
            {
                return;
            }

            SendHalf send = stream.Inner.Send;
            if (keepsWhatWasFinished ? send.CanWrite : !send.IsDone)
            {
                connection.Streams.Reset(stream.Inner, code);
            }

            connection.Streams.Stop(stream.Inner, code, now());
            pump();
        }
    }

    public void ThrowIfEnded()
    {
        if (!connection.IsOpen)
        {
            throw new StreamAbortedException(connection.End.Code, $"the connection to {remote} ended: {connection.End.Reason}");
        }
    }
}
