using AgentMesh.Errors;

namespace AgentMesh.Protocol.Streams;

/// <summary>
/// Whose turn it is. A more urgent class goes first; within a class streams take turns packet by packet. A less urgent class that waits gets every
/// <see cref="TurnsBeforeLess"/>th packet, so that it is slow beside a busy class above it and not dead.
/// </summary>
internal sealed class SendScheduler
{
    public const int TurnsBeforeLess = 16;

    private readonly Queue<ProtocolStream>[] _ready = [new(), new(), new()];
    private readonly List<ProtocolStream>[] _blocked = [[], [], []];
    private readonly int[] _skipped = new int[StreamId.Classes];

    /// <summary>Streams that wait for their turn or for allowance.</summary>
    public int Count => _ready.Sum(queue => queue.Count) + _blocked.Sum(list => list.Count);

    public bool HasReady(StreamClass streamClass) => _ready[(int)streamClass].Count > 0;

    public void Enqueue(ProtocolStream stream)
    {
        if (!stream.IsInSendQueue)
        {
            stream.IsInSendQueue = true;
            _ready[(int)stream.Id.Class].Enqueue(stream);
        }
    }

    /// <summary>The class that goes into the next packet first; null when nothing waits.</summary>
    public StreamClass? FirstClass()
    {
        StreamClass? first = null;
        for (int c = 0; c < StreamId.Classes; c++)
        {
            if (_ready[c].Count == 0)
            {
                _skipped[c] = 0;
            }
            else if (first is null)
            {
                first = (StreamClass)c;
            }
            else if (_skipped[c] >= TurnsBeforeLess - 1)
            {
                return (StreamClass)c;
            }
        }

        return first;
    }

    /// <summary>After a packet that began with <paramref name="served"/>: the others that wait have waited one packet longer.</summary>
    public void CountPacket(StreamClass served)
    {
        for (int c = 0; c < StreamId.Classes; c++)
        {
            _skipped[c] = c == (int)served || _ready[c].Count == 0 ? 0 : _skipped[c] + 1;
        }
    }

    /// <summary>The stream whose turn it is, taken out of the queue; null when the class has none. Give it back with <see cref="Enqueue"/> or <see cref="Block"/>.</summary>
    public ProtocolStream? Take(StreamClass streamClass)
    {
        if (!_ready[(int)streamClass].TryDequeue(out ProtocolStream? stream))
        {
            return null;
        }

        stream.IsInSendQueue = false;
        return stream;
    }

    /// <summary>Parks a stream whose class has no allowance.</summary>
    public void Block(ProtocolStream stream)
    {
        Invariant.Check(!stream.IsInSendQueue);
        stream.IsInSendQueue = true; // so that it waits in one place only
        _blocked[(int)stream.Id.Class].Add(stream);
    }

    /// <summary>The class may send again, or something in it needs no allowance.</summary>
    public void Unblock(StreamClass streamClass)
    {
        List<ProtocolStream> blocked = _blocked[(int)streamClass];
        foreach (ProtocolStream stream in blocked)
        {
            _ready[(int)streamClass].Enqueue(stream);
        }

        blocked.Clear();
    }
}
