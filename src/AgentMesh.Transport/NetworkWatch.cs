using System.Net.NetworkInformation;
using AgentMesh.Protocol;

namespace AgentMesh.Transport;

/// <summary>
/// Notices that this device may be in another network: the system tells of other addresses, or the wall clock went on while the other one stood still, as it does when the
/// machine sleeps. Told at most once a second. Where the system does not let this process hear of addresses, only sleep is noticed. Thread-safe.
/// </summary>
/// <param name="longSleep">A machine that slept for longer finds that others have given it up.</param>
/// <param name="changed">True: it slept for longer than that.</param>
/// <param name="subscribe">To what the system tells of addresses.</param>
internal sealed class NetworkWatch(TimeSpan longSleep, TimeProvider time, Func<MeshInstant> now, Action<bool> changed, Action<NetworkAddressChangedEventHandler>? subscribe = null) : IDisposable
{
    /// <summary>How often the clocks are compared.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>A wall clock is set by less than this without anybody sleeping.</summary>
    public static readonly TimeSpan SleepMin = TimeSpan.FromSeconds(2);

    // A change of networks is told in many small steps.
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private ITimer? _looks;
    private ITimer? _told;
    private MeshInstant _before;
    private TimeSpan _mayTellAt;
    private bool _isPlanned;

    public void Start()
    {
        _before = now();
        using Lock.Scope held = _gate.EnterScope(); // the first look comes after this
        _told = time.CreateTimer(_ => Tell(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _looks = time.CreateTimer(_ => Look(), null, Every, Timeout.InfiniteTimeSpan);
        try
        {
            (subscribe ?? (static handler => NetworkChange.NetworkAddressChanged += handler))(OnAddressChanged);
        }
        catch (NetworkInformationException)
        {
            // Sandboxes close the address family by which the system tells (netlink); connections notice by silence then.
        }
    }

    public void Dispose()
    {
        NetworkChange.NetworkAddressChanged -= OnAddressChanged;
        _looks?.Dispose();
        _told?.Dispose();
    }

    /// <summary>The system has told of a change.</summary>
    internal void Notice()
    {
        lock (_gate)
        {
            if (_isPlanned || _told is null)
            {
                return;
            }

            _isPlanned = true;
            TimeSpan wait = _mayTellAt - now().Monotonic;
            _told.Change(wait > Settling ? wait : Settling, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnAddressChanged(object? sender, EventArgs e) => Notice();

    private void Tell()
    {
        lock (_gate)
        {
            _isPlanned = false;
            _mayTellAt = now().Monotonic + Every;
        }

        changed(false);
    }

    private void Look()
    {
        TimeSpan slept;
        lock (_gate)
        {
            MeshInstant present = now();
            slept = present.Wall - _before.Wall - (present.Monotonic - _before.Monotonic);
            _before = present;
            _looks!.Change(Every, Timeout.InfiniteTimeSpan);
        }

        if (slept >= SleepMin)
        {
            changed(slept >= longSleep);
        }
    }
}
