using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport.Spare;

/// <summary>The spare sockets of an endpoint. Bounded; thread-safe.</summary>
public sealed class SpareSockets : IDisposable
{
    /// <summary>One attempt at guessing, and the paths that earlier ones have found.</summary>
    public const int SocketsMax = 512;

    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<ushort, SpareSocket> _sockets = new();
    private readonly Action<SpareSocket, Memory<byte>, IPEndPoint> _take;
    private readonly Func<ushort, bool> _isInUse;
    private readonly Func<TimeSpan> _now;
    private readonly ITimer _sweeper;
    private int _last;

    /// <param name="take">What arrives, from where: the address names the socket. The bytes may be changed.</param>
    /// <param name="isInUse">A connection sends by way of it.</param>
    internal SpareSockets(Action<SpareSocket, Memory<byte>, IPEndPoint> take, Func<ushort, bool> isInUse, Func<TimeSpan> now, TimeProvider time)
    {
        _take = take;
        _isInUse = isInUse;
        _now = now;
        _sweeper = time.CreateTimer(_ => Sweep(), null, SweepEvery, SweepEvery);
    }

    public int Count => _sockets.Count;

    /// <summary>Bound to a free port, and closed when its time is over and no connection uses it.</summary>
    /// <returns>Null when there are too many.</returns>
    public SpareSocket? TryOpen(TimeSpan keep)
    {
        ushort number = (ushort)Interlocked.Increment(ref _last);
        if (_sockets.Count >= SocketsMax || SpareSocket.TryOpen(number) is not { } socket)
        {
            return null;
        }

        socket.KeptUntil = _now() + keep;
        if (!_sockets.TryAdd(number, socket))
        {
            socket.Dispose();
            return null;
        }

        _ = socket.ReceiveAsync(_take);
        return socket;
    }

    /// <summary>Closes those that no connection uses.</summary>
    public void Release(IEnumerable<SpareSocket> sockets)
    {
        foreach (SpareSocket socket in sockets.Where(socket => !_isInUse(socket.Number)))
        {
            Close(socket);
        }
    }

    public void Dispose()
    {
        _sweeper.Dispose();
        foreach (SpareSocket socket in _sockets.Values)
        {
            Close(socket);
        }
    }

    internal SendOutcome Send(ushort number, ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to) =>
        _sockets.TryGetValue(number, out SpareSocket? socket) ? socket.Send(datagrams, datagramBytes, to) : SendOutcome.Refused;

    private void Sweep()
    {
        TimeSpan now = _now();
        Release(_sockets.Values.Where(socket => socket.KeptUntil <= now));
    }

    private void Close(SpareSocket socket)
    {
        _sockets.TryRemove(KeyValuePair.Create(socket.Number, socket));
        socket.Dispose();
    }
}
