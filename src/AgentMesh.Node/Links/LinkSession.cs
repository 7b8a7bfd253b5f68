using System.Collections.Concurrent;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Membership;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace AgentMesh.Node.Links;

/// <summary>One side of a link while it lasts: says hello, then what has changed, and everything again at intervals.</summary>
internal sealed class LinkSession(IMeshStream stream, LinkTalk talk, TimeSpan refresh, TimeProvider time)
{
    // What is said once, beside what LinkTalk repeats. Few: a side answers and asks one question at a time.
    private const int ExtraMax = 8;

    private readonly Poker _poked = new(time);
    private readonly ConcurrentQueue<Frame> _extra = new();

    private long _heardAt = time.GetTimestamp();

    public ClusterView? View { get; set; }

    /// <summary>Which life of its node the other device has; null before its hello.</summary>
    public long? Life { get; set; }

    /// <summary>The devices that the other device hears over its links, as it said last.</summary>
    public IReadOnlySet<DeviceId> Hears { get; set; } = new HashSet<DeviceId>();

    /// <summary>The other side says something at every refresh: when two are missing, it is not heard any more, whatever becomes of the connection.</summary>
    public bool IsHeard => time.GetElapsedTime(_heardAt) < refresh * 2.25;

    /// <summary>What the other device has to do, as it said last; null before.</summary>
    public DeviceLoad? Load { get; set; }

    public void HeardSomething() => _heardAt = time.GetTimestamp();

    /// <summary>How far the other side's copy of the registry reaches, as it said last.</summary>
    public IReadOnlyDictionary<DeviceId, ulong>? Heads { get; private set; }

    /// <summary>Something may be new: say it now.</summary>
    public void Poke() => _poked.Poke();

    public void Say(Frame frame)
    {
        if (_extra.Count < ExtraMax)
        {
            _extra.Enqueue(frame);
        }

        Poke();
    }

    public void Heard(IReadOnlyDictionary<DeviceId, ulong> heads)
    {
        Heads = heads;
        talk.Heard(heads);
        Poke();
    }

    public ValueTask<Frame?> ReadAsync(CancellationToken cancellationToken) => LinkFrames.ReadAsync(stream, cancellationToken);

    public async Task TalkAsync(CancellationToken cancellationToken)
    {
        long saidAll = long.MinValue;
        while (true)
        {
            List<Frame> next = [];
            while (_extra.TryDequeue(out Frame? extra))
            {
                next.Add(extra);
            }

            bool isDue = saidAll == long.MinValue || time.GetElapsedTime(saidAll) >= refresh;
            saidAll = isDue ? time.GetTimestamp() : saidAll;
            next.AddRange(talk.Next(everything: isDue));
            await LinkFrames.WriteAsync(stream, next, cancellationToken).ConfigureAwait(false);
            await _poked.WaitAsync(Rest(saidAll), cancellationToken).ConfigureAwait(false);
        }
    }

    private TimeSpan Rest(long saidAll) => refresh - time.GetElapsedTime(saidAll) is var rest && rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
}
