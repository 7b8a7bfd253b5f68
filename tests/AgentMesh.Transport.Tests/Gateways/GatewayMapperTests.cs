using System.Net;
using System.Threading.Channels;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Transport.Gateways;

namespace AgentMesh.Transport.Tests.Gateways;

public sealed class GatewayMapperTests : IAsyncDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Check = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ManualTime _time = new();
    private readonly Routes _routes = new();
    private readonly FakeProtocol _one = new("one");
    private readonly FakeProtocol _two = new("two");
    private readonly Channel<GatewayStatus> _told = Channel.CreateUnbounded<GatewayStatus>();
    private readonly GatewayMapper _mapper;

    public GatewayMapperTests()
    {
        _mapper = new GatewayMapper(_ => [_one, _two], Check, _routes, SystemEntropy.Instance, _time);
        _mapper.Changed += status => _told.Writer.TryWrite(status);
        _one.Map = _ => MapResult.Of(_one.Mapping("1.2.3.1:14590", Hour));
        _two.Map = _ => MapResult.Of(_two.Mapping("1.2.3.1:20000", Hour));
    }

    public ValueTask DisposeAsync() => _mapper.DisposeAsync();

    [Fact]
    public async Task The_first_protocol_that_answers_maps_and_the_others_are_left_alone()
    {
        _mapper.StartAlone();
        _two.Probed.SetResult(null);
        GatewayStatus status = await MappedAsync();

        Assert.Equal(("two", 20000), (status.Mapping!.Protocol, status.Mapping.External.Port));
        Assert.True(_one.WasProbeCancelled);
        Assert.Equal(0, _one.Maps);
    }

    [Fact]
    public async Task One_that_refuses_leaves_it_to_the_other_and_says_why()
    {
        _one.Map = _ => MapResult.Failed("one", "it is not allowed to map ports", wasAnswered: true);
        _mapper.StartAlone();
        _one.Probed.SetResult(null);
        _two.Probed.SetResult(null);
        GatewayStatus status = await MappedAsync();

        Assert.Equal("two", status.Mapping!.Protocol);
        Assert.True(status.Failures is [] or [{ Protocol: "one", Reason: "it is not allowed to map ports" }]);
    }

    [Fact]
    public async Task A_mapping_is_renewed_when_half_of_its_lifetime_is_over()
    {
        _mapper.StartAlone();
        _one.Probed.SetResult(null);
        await MappedAsync();
        TimeSpan made = _time.Now;
        while (_one.Maps == 1)
        {
            await _time.RingAsync();
            await ReachedAsync(() => _one.Maps == 2 || _one.Checks >= (_time.Now - made) / Check - 1);
        }

        Assert.InRange((_time.Now - made) / Hour, 0.5, 0.64);
        Assert.InRange(_one.Checks, 29, 38);
    }

    [Fact]
    public async Task A_gateway_that_forgot_is_asked_again_at_once()
    {
        _mapper.StartAlone();
        _one.Probed.SetResult(null);
        await MappedAsync();
        _one.State = MappingState.Lost;
        _one.Map = previous => MapResult.Of(_one.Mapping($"1.2.3.9:{previous!.External.Port}", Hour));
        await _time.RingAsync();

        Assert.Equal("1.2.3.9:14590", (await MappedAsync()).Mapping!.External.ToString());
    }

    [Fact]
    public async Task An_announcement_of_the_gateway_is_taken_at_its_word_and_one_of_another_is_not()
    {
        _mapper.StartAlone();
        _one.Probed.SetResult(null);
        await MappedAsync();
        _mapper.Announced(IPAddress.Parse("192.168.9.66"));
        await ReachedAsync(() => _one.Checks == 1);
        Assert.Equal(1, _one.Maps);

        _mapper.Announced(FakeProtocol.Gateway);
        await ReachedAsync(() => _one.Maps == 2);
    }

    [Fact]
    public async Task A_gateway_that_is_silent_keeps_its_mapping_until_the_lifetime_is_over()
    {
        _mapper.StartAlone();
        _one.Probed.SetResult(null);
        await MappedAsync();
        TimeSpan made = _time.Now;
        _one.State = MappingState.Unknown;
        _one.Map = _ => MapResult.Failed("one", "no answer", wasAnswered: false);
        GatewayStatus? last = null;
        while (last is not { Mapping: null })
        {
            await _time.RingAsync();
            await Task.Yield();
            while (_told.Reader.TryRead(out GatewayStatus? told) && last is not { Mapping: null })
            {
                last = told;
            }
        }

        Assert.True(_time.Now - made >= Hour, $"after {_time.Now - made}");
    }

    [Fact]
    public async Task Another_network_means_another_gateway()
    {
        _mapper.StartAlone();
        _one.Probed.SetResult(null);
        await MappedAsync();
        _routes.Now = new DefaultRoute(IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"));
        _mapper.Poke();

        await ReachedAsync(() => _mapper.Status is { Gateway: { } gateway, Mapping: not null } && gateway.Equals(IPAddress.Parse("10.0.0.1")));
        Assert.True(_one.IsDisposed);
    }

    [Fact]
    public async Task Without_a_gateway_nobody_is_asked_until_there_is_one()
    {
        DefaultRoute route = _routes.Now!;
        _routes.Now = null;
        _mapper.StartAlone();
        _one.Probed.SetResult(null);
        await ReachedAsync(() => _mapper.Status is { IsLooking: false, Gateway: null });
        Assert.Equal(0, _one.Maps);

        _routes.Now = route;
        _mapper.Poke();
        await MappedAsync();
    }

    [Fact]
    public async Task Nobody_maps_and_each_reason_is_told()
    {
        _mapper.StartAlone();
        _one.Probed.SetResult(new GatewayFailure("one", "nobody listens there", false));
        _two.Probed.SetResult(new GatewayFailure("two", "no answer", false));
        await ReachedAsync(() => _mapper.Status is { IsLooking: false });

        Assert.Equal(["one: nobody listens there", "two: no answer"], _mapper.Status.Failures.Select(failure => $"{failure.Protocol}: {failure.Reason}").Order());
    }

    [Fact]
    public async Task The_mapping_is_deleted_at_the_end()
    {
        _mapper.StartAlone();
        _one.Probed.SetResult(null);
        await MappedAsync();
        await _mapper.DisposeAsync();

        Assert.True(_one.IsDeleted);
        Assert.True(_one.IsDisposed);
    }

    private async Task<GatewayStatus> MappedAsync()
    {
        using var late = new CancellationTokenSource(Patience);
        while (true)
        {
            GatewayStatus status = await _told.Reader.ReadAsync(late.Token);
            if (status.Mapping is not null)
            {
                return status;
            }
        }
    }

    private static async Task ReachedAsync(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(Patience);
        while (!condition())
        {
            await Task.Delay(1, late.Token);
        }
    }

    private sealed class Routes : IRouteTable
    {
        public DefaultRoute? Now { get; set; } = new(FakeProtocol.Gateway, IPAddress.Parse("192.168.9.2"));

        public DefaultRoute? Find() => Now;
    }
}
