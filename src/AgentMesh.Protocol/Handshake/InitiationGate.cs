using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// How much work initiations may cause. Counts them in windows of one second; from a limit on, this side is under load until a whole window stayed below it.
/// Under load each address (IPv4) or /64 (IPv6) has an allowance. The table of allowances is emptied with every window, so it cannot grow.
/// </summary>
internal sealed class InitiationGate(HandshakeSettings settings)
{
    /// <summary>Addresses counted in one window; further ones are refused until the next one.</summary>
    public const int AddressesMax = 8192;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly Dictionary<UInt128, int> _perAddress = [];
    private TimeSpan _windowStart = TimeSpan.MinValue;
    private int _inWindow;
    private bool _previousWindowWasLoaded;

    /// <summary>Counts one initiation with a good first MAC. True when this side is under load.</summary>
    public bool CountAndCheckLoad(TimeSpan now)
    {
        if (_windowStart == TimeSpan.MinValue || now - _windowStart >= Window)
        {
            bool justBefore = _windowStart != TimeSpan.MinValue && now - _windowStart < 2 * Window;
            _previousWindowWasLoaded = justBefore && _inWindow > settings.InitiationsPerSecondBeforeCookies;
            _windowStart = now;
            _inWindow = 0;
            _perAddress.Clear();
        }

        _inWindow++;
        return _previousWindowWasLoaded || _inWindow > settings.InitiationsPerSecondBeforeCookies;
    }

    /// <summary>Takes one from the allowance of a proven address; false when it is used up.</summary>
    public bool TryTake(IPAddress address)
    {
        UInt128 key = KeyOf(address);
        int used = _perAddress.GetValueOrDefault(key);
        if (used >= settings.InitiationsPerSecondPerAddress || (used == 0 && _perAddress.Count >= AddressesMax))
        {
            return false;
        }

        _perAddress[key] = used + 1;
        return true;
    }

    private static UInt128 KeyOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bool isV4 = address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6;
        (address.AddressFamily == AddressFamily.InterNetwork ? address.MapToIPv6() : address).TryWriteBytes(bytes, out _);
        if (!isV4 && !TunnelAddress.IsTunnel(address))
        {
            bytes[8..].Clear(); // a host owns at least a /64
        }

        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
