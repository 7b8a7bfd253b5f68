using System.Net;
using AgentMesh.Node.Links;

namespace AgentMesh.Node.Reach;

/// <summary>
/// Where this device may be reached now, by everything that knows: told to other devices in each round of looking for a direct path. Interfaces come last and take what
/// room the others leave, so that a host with many bridges does not push out the one address that works from outside. Thread-safe.
/// </summary>
internal sealed class CandidateList : IDisposable
{
    /// <summary>Of one kind, interfaces aside.</summary>
    public const int PerKindMax = 8;

    private readonly Lock _gate = new();
    private readonly List<ICandidateSource> _sources = [];

    /// <summary><see cref="Current"/> may be different. Raised on any thread.</summary>
    public event Action? Changed;

    /// <summary>At most <see cref="LocalAddresses.Most"/>, each once; none that only this host could use.</summary>
    public IReadOnlyList<IPEndPoint> Current => [.. All.Select(each => each.Address).Take(LocalAddresses.Most)];

    /// <summary>As <see cref="Current"/>, without those that would not be a direct path.</summary>
    public IReadOnlyList<IPEndPoint> Direct => [.. All.Where(each => each.Kind != CandidateKind.Relayed).Select(each => each.Address).Take(LocalAddresses.Most)];

    /// <summary>With their kinds, for people; unbounded only by the sources.</summary>
    public IReadOnlyList<(CandidateKind Kind, IPEndPoint Address)> All
    {
        get
        {
            ICandidateSource[] sources;
            lock (_gate)
            {
                sources = [.. _sources];
            }

            return [.. sources.GroupBy(source => source.Kind).OrderBy(kind => kind.Key)
                .SelectMany(kind => kind.SelectMany(source => source.Current).Where(IsOfUse).Distinct()
                    .Take(kind.Key == CandidateKind.Interface ? LocalAddresses.Most : PerKindMax).Select(address => (kind.Key, address)))
                .DistinctBy(each => each.address)];
        }
    }

    public IReadOnlyList<IPEndPoint> Of(CandidateKind kind) => [.. All.Where(each => each.Kind == kind).Select(each => each.Address)];

    public void Add(ICandidateSource source)
    {
        lock (_gate)
        {
            _sources.Add(source);
        }

        source.Changed += OnChanged;
        if (source.Current.Count > 0)
        {
            OnChanged();
        }
    }

    public void Remove(ICandidateSource source)
    {
        source.Changed -= OnChanged;
        lock (_gate)
        {
            _sources.Remove(source);
        }

        OnChanged();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _sources.ForEach(source => source.Changed -= OnChanged);
            _sources.Clear();
        }
    }

    private static bool IsOfUse(IPEndPoint address) => !IPAddress.IsLoopback(address.Address) && !address.Address.IsIPv6LinkLocal && address.Port != 0;

    private void OnChanged() => Changed?.Invoke();
}
