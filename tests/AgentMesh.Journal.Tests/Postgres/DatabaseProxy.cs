using System.Collections.Concurrent;
using System.Net.Sockets;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>Stands between a member and its database, on a Unix socket of its own, and breaks what passes.</summary>
internal sealed class DatabaseProxy : IDisposable
{
    private static readonly byte[] Commit = "COMMIT\0"u8.ToArray();

    private readonly TempDirectory _directory = new();
    private readonly string _server;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private readonly TaskCompletionSource _standsStill = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _refuses;
    private int _swallow;

    public DatabaseProxy(PostgresServer server)
    {
        _server = Path.Combine(server.Host, ".s.PGSQL.5432");
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_directory.Path, ".s.PGSQL.5432")));
        _listener.Listen(64);
        _ = AcceptAsync();
    }

    /// <summary>Each way, for every piece that passes.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Cuts what is open, and everything new at once.</summary>
    public bool Refuses
    {
        get => _refuses;
        set
        {
            _refuses = value;
            if (value)
            {
                CutAll();
            }
        }
    }

    public int Swallowed { get; private set; }

    /// <summary>Sees what goes to the server; where it says yes, that does not arrive, and the connection ends.</summary>
    public Func<ReadOnlyMemory<byte>, bool>? Trap { get; set; }

    /// <summary>
    /// Sees what goes to the server, and says how many bytes of it still pass; null for all. With the first number everything stands still, both ways and on all connections, and stays open: as the server sees a member
    /// whose process was stopped.
    /// </summary>
    public Func<ReadOnlyMemory<byte>, int?>? StandStill { get; set; }

    /// <summary>Ends when <see cref="StandStill"/> has said so.</summary>
    public Task StandsStill => _standsStill.Task;

    public string ConnectionString(string direct) => direct.Replace(Path.GetDirectoryName(_server)!, _directory.Path, StringComparison.Ordinal);

    /// <summary>The answers to the next commits are lost: the database has committed, and the connection ends without a word.</summary>
    public void SwallowCommits(int count) => Interlocked.Exchange(ref _swallow, count);

    public void CutAll()
    {
        foreach (Socket socket in _open.Keys)
        {
            socket.Dispose();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        CutAll();
        _directory.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            if (_refuses)
            {
                client.Dispose();
            }
            else
            {
                _ = ServeAsync(client);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using Socket server = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Line line = new();
        try
        {
            _open[client] = 0;
            await server.ConnectAsync(new UnixDomainSocketEndPoint(_server), _stop.Token);
            await Task.WhenAny(PumpAsync(client, server, true, data => line.Sent(data, this)), PumpAsync(server, client, false, _ => line.Cuts));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One side is gone; so is the other.
        }
        finally
        {
            _open.TryRemove(client, out _);
            client.Dispose();
        }
    }

    /// <param name="cuts">Whether the connection ends instead of passing this on.</param>
    private async Task PumpAsync(Socket from, Socket to, bool isToServer, Func<ReadOnlyMemory<byte>, bool> cuts)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, SocketFlags.None, _stop.Token) is > 0 and var count)
            {
                if (Delay > TimeSpan.Zero)
                {
                    await Task.Delay(Delay, _stop.Token);
                }

                if (!_standsStill.Task.IsCompleted && isToServer && StandStill?.Invoke(buffer.AsMemory(0, count)) is { } passing)
                {
                    _standsStill.TrySetResult();
                    await to.SendAsync(buffer.AsMemory(0, passing), SocketFlags.None, _stop.Token);
                }

                if (_standsStill.Task.IsCompleted)
                {
                    await Task.Delay(Timeout.Infinite, _stop.Token);
                }

                if (cuts(buffer.AsMemory(0, count)))
                {
                    return;
                }

                await to.SendAsync(buffer.AsMemory(0, count), SocketFlags.None, _stop.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // As in ServeAsync.
        }
    }

    private sealed class Line
    {
        /// <summary>A commit was passed on, and what the server says to it is not.</summary>
        public bool Cuts { get; private set; }

        public bool Sent(ReadOnlyMemory<byte> data, DatabaseProxy proxy)
        {
            if (data.Span.IndexOf(Commit) >= 0 && Interlocked.Decrement(ref proxy._swallow) >= 0)
            {
                Cuts = true;
                proxy.Swallowed++;
            }

            return proxy.Trap?.Invoke(data) == true;
        }
    }
}
