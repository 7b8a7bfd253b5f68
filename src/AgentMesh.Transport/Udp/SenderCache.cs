using System.Net;

namespace AgentMesh.Transport.Udp;

/// <summary>
/// Addresses that datagrams came from, so that one is not made again for every datagram. Forgets all when it is full: strangers with forged addresses cost no more
/// memory than this. Used by one thread.
/// </summary>
internal sealed class SenderCache
{
    public const int Max = 256;

    private readonly Dictionary<SocketAddress, IPEndPoint> _known = [];
    private SocketAddress? _lastAddress;
    private IPEndPoint? _last;

    /// <param name="factory">Any address of the same family.</param>
    public IPEndPoint Find(SocketAddress address, IPEndPoint factory)
    {
        if (_last is not null && address.Equals(_lastAddress))
        {
            return _last;
        }

        if (!_known.TryGetValue(address, out IPEndPoint? found))
        {
            if (_known.Count >= Max)
            {
                _known.Clear();
            }

            found = (IPEndPoint)factory.Create(address);
            _known.Add(Copy(address), found);
        }

        _lastAddress = Copy(address);
        _last = found;
        return found;
    }

    // The socket writes every sender into the same object.
    private static SocketAddress Copy(SocketAddress address)
    {
        var copy = new SocketAddress(address.Family, address.Size);
        address.Buffer.Span[..address.Size].CopyTo(copy.Buffer.Span);
        return copy;
    }
}
