using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// The stamps of initiations that were answered, so that none is answered twice. Bounded: the device not heard of for the longest time is forgotten first.
/// Only devices that proved to be admitted, or to hold an invitation, get in.
/// </summary>
internal sealed class StampTable
{
    /// <summary>Above the planned 10,000 known devices.</summary>
    public const int DevicesMax = 16_384;

    private readonly Dictionary<DevicePublicKey, LinkedListNode<(DevicePublicKey Key, StampWindow Window)>> _devices = [];
    private readonly LinkedList<(DevicePublicKey Key, StampWindow Window)> _byUse = [];

    /// <summary>False when this stamp was used, or is older than what is remembered.</summary>
    public bool TryUse(DevicePublicKey device, ulong stamp)
    {
        if (_devices.TryGetValue(device, out var node))
        {
            _byUse.Remove(node);
        }
        else
        {
            if (_devices.Count >= DevicesMax)
            {
                _devices.Remove(_byUse.First!.Value.Key);
                _byUse.RemoveFirst();
            }

            node = new((device, new StampWindow()));
            _devices.Add(device, node);
        }

        _byUse.AddLast(node);
        return node.Value.Window.TryUse(stamp);
    }
}

/// <summary>The last stamps of one device. They may arrive out of order, because a device tries several addresses at once.</summary>
internal sealed class StampWindow
{
    public const int Size = 64;

    private readonly SortedSet<ulong> _used = [];
    private ulong _floor;

    /// <summary>Whether <see cref="TryUse"/> would take it.</summary>
    public bool IsFresh(ulong stamp) => stamp > _floor && !_used.Contains(stamp);

    public bool TryUse(ulong stamp)
    {
        if (stamp <= _floor || !_used.Add(stamp))
        {
            return false;
        }

        if (_used.Count > Size)
        {
            _floor = _used.Min;
            _used.Remove(_floor);
        }

        return true;
    }
}
