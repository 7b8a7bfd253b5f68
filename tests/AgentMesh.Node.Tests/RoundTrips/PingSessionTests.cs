using AgentMesh.Errors;
using AgentMesh.Node.Control;
using AgentMesh.Node.RoundTrips;
using AgentMesh.Node.Services;
using AgentMesh.Remoting;
using AgentMesh.Remoting.Tests.Doubles;
using AgentMesh.Transport;

namespace AgentMesh.Node.Tests.RoundTrips;

/// <summary>Asking and answering side over connections in memory.</summary>
public sealed class PingSessionTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly MemoryMesh _mesh = new();
    private readonly MemoryEndpoint _otherEndpoint;
    private readonly ConnectionHub _here;
    private readonly ConnectionHub _there;
    private readonly PingSession _session;

    public PingSessionTests()
    {
        _otherEndpoint = _mesh.Start("there");
        _here = new ConnectionHub(_mesh.Start("here"), _mesh, TimeProvider.System);
        _there = new ConnectionHub(_otherEndpoint, _mesh, TimeProvider.System);
        _there.Start();
        _session = new PingSession(_here, new NamedDevice(1, _there.LocalId, "there", IsSelf: false), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        await _here.DisposeAsync();
        await _there.DisposeAsync();
    }

    [Fact]
    public async Task A_probe_is_answered_with_time_clock_and_path()
    {
        _there.Register(PingResponder.Service, new PingResponder(TimeProvider.System).ServeAsync);
        await _here.GetAsync(_there.LocalId, default);

        PingProbeView first = await ProbeAsync(1), second = await ProbeAsync(2);

        Assert.Equal(("127.0.0.1:14590", "memory", null, 1), (first.Address, first.Path, first.Problem, first.Sequence));
        Assert.True(first.RoundTripMs > 0 && second.RoundTripMs > 0);
        Assert.InRange(second.ClockOffsetMs!.Value, -20_000, 20_000);
        Assert.Equal(1, _there.Counters.AcceptedStreams.Value);
    }

    [Fact]
    public async Task A_device_without_a_connection_is_not_dialled()
    {
        Assert.Equal("no connection", (await ProbeAsync(1)).Problem);
        Assert.Empty(_here.Live);
    }

    [Fact]
    public async Task An_older_node_is_told_from_a_lost_answer()
    {
        await _here.GetAsync(_there.LocalId, default);

        Assert.Equal("AM0211", (await Assert.ThrowsAsync<MeshException>(() => ProbeAsync(1))).Code);
    }

    [Fact]
    public async Task A_late_answer_costs_its_own_probe_only()
    {
        var responder = new PingResponder(TimeProvider.System);
        bool slow = true;
        _there.Register(PingResponder.Service, (connection, stream, stopping) => slow ? Task.Delay(Timeout.Infinite, stopping) : responder.ServeAsync(connection, stream, stopping));
        await _here.GetAsync(_there.LocalId, default);

        Assert.Equal("no answer within 0.05 s", (await _session.ProbeAsync(1, TimeSpan.FromMilliseconds(50), default)).Problem);

        slow = false;
        Assert.NotNull((await ProbeAsync(2)).RoundTripMs);
    }

    [Fact]
    public async Task A_wrong_answer_counts_as_none()
    {
        _there.Register(PingResponder.Service, async (_, stream, stopping) => await stream.WriteAsync(new byte[PingAnswer.Size], stopping));
        await _here.GetAsync(_there.LocalId, default);

        PingProbeView probe = await ProbeAsync(7);

        Assert.Null(probe.RoundTripMs);
        Assert.NotNull(probe.Problem);
    }

    [Fact]
    public async Task A_connection_that_is_lost_costs_its_probes_only()
    {
        _there.Register(PingResponder.Service, new PingResponder(TimeProvider.System).ServeAsync);
        IMeshConnection first = await _here.GetAsync(_there.LocalId, default);
        Assert.NotNull((await ProbeAsync(1)).RoundTripMs);
        await first.CloseAsync(0, "gone");
        while (_here.IsLive(_there.LocalId))
        {
            await Task.Yield();
        }

        Assert.Null((await ProbeAsync(2)).RoundTripMs);

        await _here.GetAsync(_there.LocalId, default);
        Assert.NotNull((await ProbeAsync(3)).RoundTripMs);
    }

    [Fact]
    public async Task One_device_has_a_bounded_number_of_streams_at_the_answering_side()
    {
        _there.Register(PingResponder.Service, new PingResponder(TimeProvider.System).ServeAsync);
        List<IMeshStream> open = [];
        for (int i = 0; i < PingResponder.StreamsMax; i++)
        {
            open.Add(await AskAsync());
        }

        StreamAbortedException refused = await Assert.ThrowsAsync<StreamAbortedException>(AskAsync);
        Assert.Equal(StreamCodes.TooManyStreams, refused.Code);

        foreach (IMeshStream stream in open)
        {
            stream.Abort(StreamCodes.Done);
        }

        await TestWait.UntilAsync(async () => (await ProbeAsync(1)).RoundTripMs is not null, "a place is free again");
    }

    private async Task<IMeshStream> AskAsync()
    {
        IMeshStream stream = await _here.OpenAsync(_there.LocalId, PingResponder.Service, StreamPriority.Control, default);
        await stream.WriteAsync(new byte[PingQuestion.Size], default);
        Assert.True(await stream.TryFillAsync(new byte[PingAnswer.Size], default));
        return stream;
    }

    private Task<PingProbeView> ProbeAsync(int sequence) => _session.ProbeAsync(sequence, Patience, default);
}
