using System.Collections.Concurrent;
using System.Net;

namespace AgentMesh.Transport.Pairing;

/// <summary>The ways of a device, each under a number that its addresses carry. Thread-safe.</summary>
internal sealed class CodeWays
{
    private readonly ConcurrentDictionary<uint, ICodeWay> _ways = new();
    private uint _last;

    public IEnumerable<ICodeWay> All => _ways.Values;

    public bool IsEmpty => _ways.IsEmpty;

    public void Add(ICodeWay way) => _ways.TryAdd(Interlocked.Increment(ref _last), way);

    public void Remove(ICodeWay way)
    {
        foreach ((uint number, ICodeWay each) in _ways)
        {
            if (ReferenceEquals(each, way))
            {
                _ways.TryRemove(number, out _);
            }
        }
    }

    /// <summary>Null for a way that was removed.</summary>
    public IPEndPoint? AddressOf(ICodeWay way, uint caller)
    {
        foreach ((uint number, ICodeWay each) in _ways)
        {
            if (ReferenceEquals(each, way))
            {
                return CodeWayAddress.Of(number, caller);
            }
        }

        return null;
    }

    public ICodeWay? At(IPAddress address, out uint caller) => CodeWayAddress.TryRead(address, out uint number, out caller) ? _ways.GetValueOrDefault(number) : null;

    /// <summary>A place as people name it.</summary>
    public string NameOf(IPEndPoint place) => At(place.Address, out _) is { } way ? "the beacon " + way.Name : place.ToString();

    public string NameOf(IPAddress address) => At(address, out _) is { } way ? "the beacon " + way.Name : address.ToString();
}
