namespace AgentMesh.Protocol.Discovery;

/// <summary>
/// Whose tag it is, in one look-up. Tables of the present epoch and its neighbours are made when they are first needed; those of other epochs, for devices with a
/// wrong clock, are few and made seldom, because a stranger can ask for any.
/// </summary>
internal sealed class LanTags
{
    public const int FarTablesMax = 4;

    private readonly Dictionary<ulong, Dictionary<UInt128, LanKeys>> _near = [];
    private readonly Dictionary<ulong, Dictionary<UInt128, LanKeys>> _far = [];
    private readonly Queue<ulong> _farByAge = new();
    private readonly TokenBucket _farAllowance = new(burst: FarTablesMax, perSecond: 0.1);
    private IReadOnlyCollection<LanKeys> _devices = [];

    /// <summary>Tables made so far, which is what costs.</summary>
    public int TablesMade { get; private set; }

    public void Set(IReadOnlyCollection<LanKeys> devices)
    {
        _devices = devices;
        _near.Clear();
        _far.Clear();
        _farByAge.Clear();
    }

    public bool TryFind(UInt128 tag, ulong epoch, MeshInstant now, out LanKeys keys)
    {
        keys = null!;
        return TableOf(epoch, now) is { } table && table.TryGetValue(tag, out keys!);
    }

    private Dictionary<UInt128, LanKeys>? TableOf(ulong epoch, MeshInstant now)
    {
        ulong present = LanAnnouncement.EpochOf(LanAnnouncement.StampOf(now.Wall));
        if (IsNear(epoch, present))
        {
            if (!_near.TryGetValue(epoch, out Dictionary<UInt128, LanKeys>? near))
            {
                foreach (ulong old in _near.Keys.Where(each => !IsNear(each, present)).ToArray())
                {
                    _near.Remove(old);
                }

                near = Make(epoch);
                _near.Add(epoch, near);
            }

            return near;
        }

        if (!_far.TryGetValue(epoch, out Dictionary<UInt128, LanKeys>? far) && _farAllowance.TryTake(now.Monotonic))
        {
            if (_farByAge.Count >= FarTablesMax)
            {
                _far.Remove(_farByAge.Dequeue());
            }

            far = Make(epoch);
            _far.Add(epoch, far);
            _farByAge.Enqueue(epoch);
        }

        return far;
    }

    private static bool IsNear(ulong epoch, ulong present) => (epoch > present ? epoch - present : present - epoch) <= 1;

    private Dictionary<UInt128, LanKeys> Make(ulong epoch)
    {
        TablesMade++;
        var table = new Dictionary<UInt128, LanKeys>(_devices.Count);
        foreach (LanKeys device in _devices)
        {
            table[device.Tag(epoch)] = device;
        }

        return table;
    }
}
