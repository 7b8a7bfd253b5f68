using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Membership;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using Google.Protobuf;

namespace AgentMesh.Node.Links;

/// <summary>One side of a link while it lasts: says hello, then what has changed, and everything again at intervals.</summary>
internal sealed class LinkSession(IMeshStream stream, TimeSpan refresh, TimeProvider time)
{
    /// <summary>Registry entries of one frame; an entry is well below 1 KiB.</summary>
    private const int EntriesOfFrameMax = 128;

    private readonly SemaphoreSlim _poked = new(0, 1);

    public ClusterView? View { get; set; }

    /// <summary>Which life of its node the other device has; null before its hello.</summary>
    public long? Life { get; set; }

    public IReadOnlyDictionary<DeviceId, ulong>? TheirHeads { get; set; }

    /// <summary>Something is new: speak now.</summary>
    public void Poke()
    {
        try
        {
            if (_poked.CurrentCount == 0)
            {
                _poked.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Two at once: one is enough.
        }
    }

    public ValueTask<Frame?> ReadAsync(CancellationToken cancellationToken) => LinkFrames.ReadAsync(stream, cancellationToken);

    public async Task TalkAsync(
        Func<Hello> hello, Func<ClusterView?> view, IRegistryExchange registry, Func<Whereabouts> whereabouts, CancellationToken cancellationToken)
    {
        await SendAsync(new Frame { Hello = hello() }, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            await SendAsync(new Frame { View = WireView(view()) }, cancellationToken).ConfigureAwait(false);
            await SendAsync(new Frame { RegistryHeads = WireHeads(registry.Heads()) }, cancellationToken).ConfigureAwait(false);
            await SendEntriesAsync(registry, cancellationToken).ConfigureAwait(false);
            await SendAsync(new Frame { Whereabouts = whereabouts() }, cancellationToken).ConfigureAwait(false);
            using ITimer timer = time.CreateTimer(_ => Poke(), null, refresh, Timeout.InfiniteTimeSpan);
            await _poked.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SendEntriesAsync(IRegistryExchange registry, CancellationToken cancellationToken)
    {
        if (TheirHeads is not { } heads || registry.EntriesAfter(heads, EntriesOfFrameMax) is not { Count: > 0 } missing)
        {
            return;
        }

        var entries = new RegistryEntries();
        entries.Entries.Add(missing.Select(entry => ByteString.CopyFrom(entry)));
        await SendAsync(new Frame { RegistryEntries = entries }, cancellationToken).ConfigureAwait(false);

        // What they have now comes with their next heads.
        TheirHeads = null;
    }

    private static View WireView(ClusterView? view)
    {
        var wire = new View { Incarnation = view?.Self.Incarnation ?? 0 };
        foreach (ViewMember member in view?.Members ?? (IEnumerable<ViewMember>)[])
        {
            wire.Members.Add(new Member { Device = member.Device.ToString(), Incarnation = member.Incarnation });
        }

        return wire;
    }

    private static RegistryHeads WireHeads(IReadOnlyDictionary<DeviceId, ulong> heads)
    {
        var wire = new RegistryHeads();
        foreach ((DeviceId author, ulong count) in heads)
        {
            wire.Heads.Add(new Head { Author = author.ToString(), Count = count });
        }

        return wire;
    }

    private ValueTask SendAsync(Frame frame, CancellationToken cancellationToken) => LinkFrames.WriteAsync(stream, frame, cancellationToken);
}
