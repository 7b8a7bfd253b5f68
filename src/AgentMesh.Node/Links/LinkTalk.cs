using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Membership;
using AgentMesh.Protocol.Identity;
using Google.Protobuf;

namespace AgentMesh.Node.Links;

/// <summary>
/// What one side of a link has to say now. It repeats nothing unless it is asked for everything: an answer that is said whenever something was
/// heard would make two devices talk without end. Thread-safe.
/// </summary>
internal sealed class LinkTalk(Func<Hello> hello, IRegistryExchange registry, Func<ClusterView?> view, Func<Whereabouts> whereabouts, Func<Load>? load = null)
{
    /// <summary>Registry entries of one frame; an entry is well below 1 KiB.</summary>
    private const int EntriesOfFrameMax = 128;

    private readonly Lock _gate = new();
    private readonly Dictionary<Frame.ContentOneofCase, Frame> _said = [];
    private IReadOnlyDictionary<DeviceId, ulong>? _theirHeads;

    // What the other side had when it was sent a full frame, and how much of what it lacks is left out because it took nothing of it: the chain of a device that it does not believe must not stand before the others for good.
    private IReadOnlyDictionary<DeviceId, ulong>? _headsAtFull;
    private int _leftOut;

    /// <summary>What the other side has of the registry; null until it has said so, and again after it was sent a part of what it lacks.</summary>
    public void Heard(IReadOnlyDictionary<DeviceId, ulong> heads)
    {
        lock (_gate)
        {
            if (_headsAtFull is { } before && before.Count == heads.Count && before.All(head => heads.TryGetValue(head.Key, out ulong count) && count == head.Value))
            {
                _leftOut += EntriesOfFrameMax;
            }

            _headsAtFull = null;
            _theirHeads = heads;
        }
    }

    /// <param name="everything">Also what the other side has been told already; it may have lost it, or refused it at the time.</param>
    public IReadOnlyList<Frame> Next(bool everything)
    {
        lock (_gate)
        {
            // The hello comes first, and again only with something new: the other side writes it down.
            List<Frame> next = [];
            Say(next, new Frame { Hello = hello() }, again: false);
            Say(next, new Frame { View = WireView(view()) }, everything);
            if (load is not null)
            {
                Say(next, new Frame { Load = load() }, again: false);
            }

            IReadOnlyDictionary<DeviceId, ulong> heads = registry.Heads();
            Say(next, new Frame { RegistryHeads = WireHeads(heads) }, everything);
            bool saidEntries = SayEntries(next, heads);

            // After entries, and again with them: where a device is was not heeded by who did not know yet that it belongs here.
            Say(next, new Frame { Whereabouts = whereabouts() }, everything || saidEntries);
            return next;
        }
    }

    private void Say(List<Frame> next, Frame frame, bool again)
    {
        if (again || !frame.Equals(_said.GetValueOrDefault(frame.ContentCase)))
        {
            _said[frame.ContentCase] = frame;
            next.Add(frame);
        }
    }

    private bool SayEntries(List<Frame> next, IReadOnlyDictionary<DeviceId, ulong> heads)
    {
        if (_theirHeads is not { } theirs)
        {
            return false;
        }

        IReadOnlyList<byte[]> missing = [.. registry.EntriesAfter(theirs, _leftOut + EntriesOfFrameMax).Skip(_leftOut)];
        if (missing.Count == 0 && _leftOut > 0)
        {
            // All was offered: from the beginning, because it may believe others by now.
            _leftOut = 0;
            missing = registry.EntriesAfter(theirs, EntriesOfFrameMax);
        }

        if (missing.Count == 0)
        {
            return false;
        }

        var entries = new RegistryEntries();
        entries.Entries.Add(missing.Select(entry => ByteString.CopyFrom(entry)));
        next.Add(new Frame { RegistryEntries = entries });

        // It says what it has when it has taken them, and then gets the rest.
        bool isFull = missing.Count == EntriesOfFrameMax;
        _headsAtFull = isFull ? theirs : null;
        _theirHeads = isFull ? null : heads;
        if (!isFull)
        {
            _leftOut = 0;
        }

        return true;
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
}
