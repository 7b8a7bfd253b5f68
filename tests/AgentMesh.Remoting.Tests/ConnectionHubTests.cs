using System.Text;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting.Tests.Doubles;
using AgentMesh.Transport;

namespace AgentMesh.Remoting.Tests;

public sealed class ConnectionHubTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly MemoryMesh _mesh = new();
    private readonly ManualClock _clock = new();
    private readonly List<ConnectionHub> _hubs = [];

    public async ValueTask DisposeAsync()
    {
        foreach (ConnectionHub hub in _hubs)
            await hub.DisposeAsync();
    }

    [Fact]
    public async Task Dispatches_a_stream_to_the_service_its_header_names()
    {
        (ConnectionHub a, _) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        b.Register("echo", EchoAsync);
        b.Register("other", (_, _, _) => throw new InvalidOperationException("not this one"));

        IMeshStream stream = await a.OpenAsync(b.LocalId, "echo", StreamPriority.Ordinary, default);
        await stream.WriteAsync("hello"u8.ToArray(), default);
        await stream.CompleteWritesAsync();

        Assert.Equal("hello", await ReadAllAsync(stream));
    }

    [Fact]
    public async Task Waiters_share_one_dial_and_then_the_connection()
    {
        (ConnectionHub a, MemoryEndpoint endpoint) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        TaskCompletionSource gate = new();
        endpoint.DialGate = gate.Task;

        Task<IMeshConnection>[] waiting = [.. Enumerable.Range(0, 10).Select(_ => a.GetAsync(b.LocalId, default).AsTask())];
        gate.SetResult();
        IMeshConnection[] got = await Task.WhenAll(waiting).WaitAsync(Patience);

        Assert.Single(got.Distinct());
        Assert.Equal(1, endpoint.Dials);
        Assert.Same(got[0], await a.GetAsync(b.LocalId, default));
        Assert.Equal(1, endpoint.Dials);
    }

    [Fact]
    public async Task New_addresses_join_a_dial_in_progress_and_start_none()
    {
        (ConnectionHub a, MemoryEndpoint endpoint) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        a.ReadAddressesAgain(b.LocalId);
        Assert.Equal(0, endpoint.Dials);
        TaskCompletionSource gate = new();
        endpoint.DialGate = gate.Task;

        Task<IMeshConnection> waiting = a.GetAsync(b.LocalId, default).AsTask();
        SpinWait.SpinUntil(() => endpoint.Dials == 1, Patience);
        a.ReadAddressesAgain(b.LocalId);
        Assert.Equal(2, endpoint.Dials);
        gate.SetResult();

        Assert.Same(await waiting.WaitAsync(Patience), await a.GetAsync(b.LocalId, default));
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_end_the_dial_of_others()
    {
        (ConnectionHub a, MemoryEndpoint endpoint) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        TaskCompletionSource gate = new();
        endpoint.DialGate = gate.Task;
        using CancellationTokenSource impatient = new();

        Task<IMeshConnection> first = a.GetAsync(b.LocalId, impatient.Token).AsTask();
        Task<IMeshConnection> second = a.GetAsync(b.LocalId, default).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();

        Assert.Equal(b.LocalId, (await second.WaitAsync(Patience)).RemoteId);
    }

    [Fact]
    public async Task A_dead_device_fails_at_once_until_the_backoff_has_run()
    {
        (ConnectionHub a, MemoryEndpoint endpoint) = Hub("a");
        DeviceId dead = _mesh.Know("dead");

        MeshException first = await Assert.ThrowsAsync<MeshException>(() => a.GetAsync(dead, default).AsTask());
        MeshException second = await Assert.ThrowsAsync<MeshException>(() => a.GetAsync(dead, default).AsTask());
        Assert.Equal(RemotingErrors.DeviceUnreachable, first.Code);
        Assert.Equal(first.Message, second.Message);
        Assert.Equal(1, endpoint.Dials);

        _clock.Advance(TimeSpan.FromMilliseconds(250));
        await Assert.ThrowsAsync<MeshException>(() => a.GetAsync(dead, default).AsTask());
        Assert.Equal(2, endpoint.Dials);

        _clock.Advance(TimeSpan.FromMilliseconds(250));
        await Assert.ThrowsAsync<MeshException>(() => a.GetAsync(dead, default).AsTask());
        Assert.Equal(2, endpoint.Dials);
    }

    [Fact]
    public async Task A_device_that_calls_us_is_reachable_whatever_failed_before()
    {
        (ConnectionHub a, MemoryEndpoint endpoint) = Hub("a");
        DeviceId id = _mesh.Know("b");
        await Assert.ThrowsAsync<MeshException>(() => a.GetAsync(id, default).AsTask());

        TaskCompletionSource<IMeshConnection> connected = new();
        a.Connected += connected.SetResult;
        (ConnectionHub b, _) = Hub("b");
        await b.GetAsync(a.LocalId, default);
        IMeshConnection inbound = await connected.Task.WaitAsync(Patience);

        Assert.Same(inbound, await a.GetAsync(id, default));
        Assert.Equal(1, endpoint.Dials);
    }

    [Fact]
    public async Task A_connection_that_is_taken_aside_is_not_live_and_none_of_its_streams_is_served()
    {
        (ConnectionHub a, _) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        TaskCompletionSource<IMeshConnection> aside = new();
        a.TakesAside = connection => aside.TrySetResult(connection);
        a.Connected += _ => Assert.Fail("it is live");
        int served = 0;
        a.Register("echo", (_, _, _) =>
        {
            served++;
            return Task.CompletedTask;
        });

        IMeshStream stream = await b.OpenAsync(a.LocalId, "echo", StreamPriority.Ordinary, default);
        IMeshConnection taken = await aside.Task.WaitAsync(Patience);
        Assert.Null(a.Find(b.LocalId));

        // The stream is still there, with its header, for whoever took the connection.
        Assert.Equal(stream.Id, (await taken.AcceptStreamAsync(default).AsTask().WaitAsync(Patience))!.Id);
        Assert.Equal(0, served);
        await taken.CloseAsync(0, "told");
    }

    [Fact]
    public async Task An_unknown_device_is_refused_without_a_dial()
    {
        (ConnectionHub a, MemoryEndpoint endpoint) = Hub("a");
        DeviceId stranger = DeviceId.Of(MemoryMesh.KeyOf("stranger"));

        MeshException error = await Assert.ThrowsAsync<MeshException>(() => a.GetAsync(stranger, default).AsTask());

        Assert.Equal(RemotingErrors.UnknownDevice, error.Code);
        Assert.Equal(0, endpoint.Dials);
    }

    [Fact]
    public async Task An_ended_connection_leaves_the_live_ones_and_the_next_request_dials_again()
    {
        (ConnectionHub a, MemoryEndpoint endpoint) = Hub("a");
        (ConnectionHub b, MemoryEndpoint remote) = Hub("b");
        TaskCompletionSource<ConnectionEnd> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        a.Disconnected += (_, end) => ended.TrySetResult(end);
        IMeshConnection first = await a.GetAsync(b.LocalId, default);
        Assert.Equal([first], a.Live);

        remote.Crash();
        Assert.True((await ended.Task.WaitAsync(Patience)).ByRemote);
        Assert.Empty(a.Live);

        (ConnectionHub restarted, _) = Hub("b");
        IMeshConnection second = await a.GetAsync(restarted.LocalId, default);
        Assert.NotSame(first, second);
        Assert.Equal(2, endpoint.Dials);
    }

    [Fact]
    public async Task Refuses_an_unknown_service_and_a_damaged_header_and_keeps_the_connection()
    {
        (ConnectionHub a, _) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        b.Register("echo", EchoAsync);
        IMeshConnection connection = await a.GetAsync(b.LocalId, default);

        IMeshStream unknown = await ConnectionHub.OpenAsync(connection, "nothing", StreamPriority.Ordinary, default);
        StreamAbortedException refused = await Assert.ThrowsAsync<StreamAbortedException>(() => ReadAllAsync(unknown));
        Assert.Equal(StreamCodes.UnknownService, refused.Code);

        foreach (byte[] header in new byte[][] { [0], [33, 65], [2, 0xff, 0xfe], [5, 97] })
        {
            IMeshStream damaged = await connection.OpenStreamAsync(StreamPriority.Ordinary, default);
            await damaged.WriteAsync(header, default);
            await damaged.CompleteWritesAsync();
            refused = await Assert.ThrowsAsync<StreamAbortedException>(() => ReadAllAsync(damaged));
            Assert.Equal(StreamCodes.BadHeader, refused.Code);
        }

        IMeshStream good = await ConnectionHub.OpenAsync(connection, "echo", StreamPriority.Ordinary, default);
        await good.WriteAsync("still here"u8.ToArray(), default);
        await good.CompleteWritesAsync();
        Assert.Equal("still here", await ReadAllAsync(good));
        Assert.Equal(4, b.Counters.BadHeaders.Value);
        Assert.Equal(1, b.Counters.UnknownServices.Value);
    }

    [Fact]
    public async Task A_later_handler_takes_over_and_stays_when_the_earlier_one_goes()
    {
        (ConnectionHub a, _) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        IDisposable earlier = b.Register("echo", (_, _, _) => throw new InvalidOperationException("not this one"));
        b.Replace("echo", EchoAsync);
        earlier.Dispose();

        IMeshStream stream = await a.OpenAsync(b.LocalId, "echo", StreamPriority.Ordinary, default);
        await stream.WriteAsync("later"u8.ToArray(), default);
        await stream.CompleteWritesAsync();

        Assert.Equal("later", await ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_failing_handler_costs_its_stream_only()
    {
        (ConnectionHub a, _) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        b.Register("bad", (_, _, _) => throw new InvalidOperationException("boom"));

        IMeshStream stream = await a.OpenAsync(b.LocalId, "bad", StreamPriority.Ordinary, default);
        StreamAbortedException refused = await Assert.ThrowsAsync<StreamAbortedException>(() => ReadAllAsync(stream));

        Assert.Equal(StreamCodes.HandlerFailed, refused.Code);
        Assert.Equal("boom", b.Counters.LastHandlerFailure?.Message);
        Assert.Single(a.Live);
    }

    [Fact]
    public async Task Disposal_ends_handlers_and_later_requests()
    {
        (ConnectionHub a, _) = Hub("a");
        (ConnectionHub b, _) = Hub("b");
        TaskCompletionSource entered = new();
        b.Register("wait", async (_, _, stopping) =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.Infinite, stopping);
        });
        IMeshStream stream = await a.OpenAsync(b.LocalId, "wait", StreamPriority.Ordinary, default);
        await entered.Task.WaitAsync(Patience);

        await b.DisposeAsync().AsTask().WaitAsync(Patience);

        await Assert.ThrowsAsync<StreamAbortedException>(() => ReadAllAsync(stream));
        MeshException closed = await Assert.ThrowsAsync<MeshException>(() => b.GetAsync(a.LocalId, default).AsTask());
        Assert.Equal(RemotingErrors.HubClosed, closed.Code);
    }

    private static async Task EchoAsync(IMeshConnection connection, IMeshStream stream, CancellationToken stopping)
    {
        byte[] buffer = new byte[1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, stopping)) > 0)
            await stream.WriteAsync(buffer.AsMemory(0, read), stopping);
        await stream.CompleteWritesAsync();
    }

    private static async Task<string> ReadAllAsync(IMeshStream stream)
    {
        byte[] buffer = new byte[1024];
        StringBuilder text = new();
        int read;
        using CancellationTokenSource patience = new(Patience);
        while ((read = await stream.ReadAsync(buffer, patience.Token)) > 0)
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        return text.ToString();
    }

    private (ConnectionHub Hub, MemoryEndpoint Endpoint) Hub(string name)
    {
        MemoryEndpoint endpoint = _mesh.Start(name);
        ConnectionHub hub = new(endpoint, _mesh, _clock);
        hub.Start();
        _hubs.Add(hub);
        return (hub, endpoint);
    }
}
