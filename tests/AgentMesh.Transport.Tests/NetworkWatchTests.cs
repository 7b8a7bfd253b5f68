using System.Net.NetworkInformation;
using AgentMesh.Protocol;

namespace AgentMesh.Transport.Tests;

public sealed class NetworkWatchTests : IDisposable
{
    private static readonly TimeSpan LongSleep = TimeSpan.FromSeconds(12);

    private readonly Gateways.ManualTime _time = new();
    private readonly List<bool> _told = [];
    private readonly NetworkWatch _watch;
    private TimeSpan _slept;

    public NetworkWatchTests()
    {
        _watch = new NetworkWatch(LongSleep, _time, () => new MeshInstant(_time.Now, DateTimeOffset.UnixEpoch + _time.Now + _slept), _told.Add);
        _watch.Start();
    }

    public void Dispose() => _watch.Dispose();

    [Theory]
    [InlineData(600, true)]
    [InlineData(12, true)]
    [InlineData(5, false)]
    public async Task A_wall_clock_that_went_on_alone_tells_of_a_sleep_once(int seconds, bool isLong)
    {
        await _time.RingAsync();
        _slept += TimeSpan.FromSeconds(seconds);
        await _time.RingAsync();
        await _time.RingAsync();
        Assert.Equal([isLong], _told);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-600)]
    public async Task A_wall_clock_that_is_set_a_little_or_back_tells_of_nothing(int seconds)
    {
        _slept += TimeSpan.FromSeconds(seconds);
        await _time.RingAsync();
        await _time.RingAsync();
        Assert.Empty(_told);
    }

    [Fact]
    public async Task Many_changes_are_told_as_one_and_no_oftener_than_once_a_second()
    {
        TimeSpan start = _time.Now;
        for (int i = 0; i < 50; i++)
        {
            _watch.Notice();
        }

        await _time.RingAsync();
        Assert.Equal([false], _told);
        Assert.InRange(_time.Now - start, TimeSpan.Zero, TimeSpan.FromSeconds(0.2));
        _watch.Notice();
        while (_told.Count < 2)
        {
            await _time.RingAsync();
        }

        Assert.InRange(_time.Now - start, NetworkWatch.Every, 2 * NetworkWatch.Every);
    }

    [Fact]
    public async Task Where_the_system_may_not_tell_of_addresses_a_sleep_is_noticed_still()
    {
        using var deaf = new NetworkWatch(LongSleep, _time, () => new MeshInstant(_time.Now, DateTimeOffset.UnixEpoch + _time.Now + _slept), _told.Add, _ => throw new NetworkInformationException(97));
        _watch.Dispose();
        deaf.Start();
        await _time.RingAsync();
        _slept += LongSleep;
        await _time.RingAsync();
        Assert.Equal([true], _told);
    }
}
