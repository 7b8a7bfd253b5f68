using System.Net;
using System.Net.NetworkInformation;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Links;

/// <summary>
/// Where this device can be told to be, now: networks come and go. Looked up when the system tells of a change, and every now and then, because a name
/// that is announced may get another address without any; never by a reader. Thread-safe.
/// </summary>
internal sealed class OwnAddresses : ICandidateSource, IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(20);

    /// <summary>A change of networks is told in many small steps.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(100);

    private readonly Func<IReadOnlyList<IPEndPoint>> _look;
    private readonly ITimer _timer;
    private volatile IReadOnlyList<IPEndPoint> _all;
    private volatile IReadOnlyList<IPEndPoint> _current;

    public OwnAddresses(IReadOnlyList<IPEndPoint> bound, HostPort? announce, TimeProvider time)
    {
        _look = () => LocalAddresses.All(bound, announce);
        _all = _look();
        _current = [.. _all.Take(LocalAddresses.Most)];
        _timer = time.CreateTimer(_ => Look(), null, Every, Every);
        NetworkChange.NetworkAddressChanged += OnChange;
    }

    public event Action? Changed;

    public CandidateKind Kind => CandidateKind.Interface;

    /// <inheritdoc/>
    /// <remarks>At most <see cref="LocalAddresses.Most"/>.</remarks>
    public IReadOnlyList<IPEndPoint> Current => _current;

    /// <summary>This device itself is there: of all its addresses, also those that others are not told.</summary>
    public bool IsOwn(IPEndPoint address) => _all.Contains(address);

    public void Dispose()
    {
        NetworkChange.NetworkAddressChanged -= OnChange;
        _timer.Dispose();
    }

    private void OnChange(object? sender, EventArgs e) => _timer.Change(Settling, Every);

    private void Look()
    {
        try
        {
            IReadOnlyList<IPEndPoint> all = _look();
            IPEndPoint[] now = [.. all.Take(LocalAddresses.Most)];
            bool isOther = !now.SequenceEqual(_current);
            _all = all;
            _current = now;
            if (isOther)
            {
                Changed?.Invoke();
            }
        }
        catch (NetworkInformationException)
        {
            // An interface went while it was looked at; what was known stays until the next look.
        }
    }
}
