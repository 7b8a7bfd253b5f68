using System.Buffers.Binary;
using System.Net;

namespace AgentMesh.Beacon.Web;

/// <summary>How many of something each address has; one host of IPv6 owns a /64. Thread-safe. As long as what is counted.</summary>
internal sealed class PerAddress(int max)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, int> _counts = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _counts.Count;
            }
        }
    }

    public bool TryTake(IPAddress address)
    {
        if (IPAddress.IsLoopback(address))
        {
            return true;
        }

        lock (_gate)
        {
            UInt128 key = KeyOf(address);
            int count = _counts.GetValueOrDefault(key);
            if (count >= max)
            {
                return false;
            }

            _counts[key] = count + 1;
            return true;
        }
    }

    public void Return(IPAddress address)
    {
        lock (_gate)
        {
            UInt128 key = KeyOf(address);
            if (_counts.TryGetValue(key, out int count) && count > 1)
            {
                _counts[key] = count - 1;
            }
            else
            {
                _counts.Remove(key);
            }
        }
    }

    private static UInt128 KeyOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.MapToIPv6().TryWriteBytes(bytes, out _);
        UInt128 whole = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6 ? whole : whole >> 64 << 64;
    }
}
