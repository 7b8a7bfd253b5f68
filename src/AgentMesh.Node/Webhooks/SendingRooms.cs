namespace AgentMesh.Node.Webhooks;

/// <summary>
/// How many messages are on their way at a time: all together, and to one receiver (host and port). Who waits for a receiver takes no place from others, so one that accepts and never answers keeps only its own
/// messages waiting.
/// </summary>
/// <remarks>Thread-safe. There are no more receivers here than there are callers.</remarks>
internal sealed class SendingRooms(int together, int toOne) : IDisposable
{
    private readonly SemaphoreSlim _together = new(together);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Room> _rooms = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Receivers that somebody sends to, or waits to.</summary>
    public int Receivers
    {
        get
        {
            lock (_gate)
            {
                return _rooms.Count;
            }
        }
    }

    public void Dispose() => _together.Dispose();

    public async Task<T> SendAsync<T>(Uri receiver, Func<Task<T>> send, CancellationToken cancellationToken)
    {
        string name = $"{receiver.IdnHost}:{receiver.Port}";
        Room room = Enter(name);
        try
        {
            await room.Places.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await _together.WaitAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    return await send().ConfigureAwait(false);
                }
                finally
                {
                    _together.Release();
                }
            }
            finally
            {
                room.Places.Release();
            }
        }
        finally
        {
            Leave(name, room);
        }
    }

    private Room Enter(string name)
    {
        lock (_gate)
        {
            if (!_rooms.TryGetValue(name, out Room? room))
            {
                _rooms.Add(name, room = new Room(new SemaphoreSlim(toOne)));
            }

            room.Callers++;
            return room;
        }
    }

    private void Leave(string name, Room room)
    {
        lock (_gate)
        {
            if (--room.Callers == 0)
            {
                _rooms.Remove(name);
                room.Places.Dispose();
            }
        }
    }

    private sealed record Room(SemaphoreSlim Places)
    {
        public int Callers { get; set; }
    }
}
