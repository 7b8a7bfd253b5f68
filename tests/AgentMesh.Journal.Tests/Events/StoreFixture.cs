using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Journal.Tests.Events;

internal static class StoreFixture
{
    /// <summary>More than any machine needs, however busy it is: a deadline that is at stake passes in a <see cref="ManualTime"/>.</summary>
    public static readonly TimeSpan Ample = TimeSpan.FromMinutes(10);

    public static SqliteEventStore Open(string path, Func<EventStoreSettings, EventStoreSettings>? change = null, TimeProvider? time = null)
    {
        EventStoreSettings settings = new() { Path = path, AppendTimeout = Ample };
        return SqliteEventStore.Open(change is null ? settings : change(settings), time ?? TimeProvider.System);
    }

    public static EventRecord Event(long sequence, string text = "x", string manifest = "E") =>
        new(sequence, 17, manifest, Encoding.UTF8.GetBytes(text), "writer", 1_700_000_000_000 + sequence);

    public static EventAppend Append(string id, long previous, int count, long epoch = 0, string manifest = "E", int bytes = 1) => new(
        id,
        previous,
        previous + count,
        [.. Enumerable.Range(1, count).Select(i => Event(previous + i, new string('x', bytes), manifest))],
        epoch);

    public static async Task<List<StoredEvent>> ReplayAll(SqliteEventStore store, string id, long from = 1, long to = long.MaxValue, long max = long.MaxValue)
    {
        List<StoredEvent> events = [];
        await store.ReplayAsync(id, from, to, max, events.Add);
        return events;
    }

    public static async Task<MeshException> FailsWith(string code, Func<Task> action)
    {
        MeshException e = await Assert.ThrowsAsync<MeshException>(action);
        Assert.Equal(code, e.Code);
        return e;
    }
}
