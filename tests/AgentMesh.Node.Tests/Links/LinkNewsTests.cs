using AgentMesh.Node.Links;
using AgentMesh.Workers.Tests.Input;

namespace AgentMesh.Node.Tests.Links;

public sealed class LinkNewsTests
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    private readonly ManualTime _clock = new();
    private bool _holds;

    [Fact]
    public async Task Ends_with_the_news_after_which_it_holds_and_not_with_others()
    {
        var news = new LinkNews(_clock);
        int looked = 0;
        Task<bool> waiting = news.UntilAsync(() => Interlocked.Increment(ref looked) > 0 && Volatile.Read(ref _holds), Within);
        Assert.Equal(1, looked);

        news.Tell();
        await TestWait.UntilAsync(() => Task.FromResult(Volatile.Read(ref looked) == 2), "it looks again at other news");
        Assert.False(waiting.IsCompleted);

        Volatile.Write(ref _holds, true);
        Assert.False(waiting.IsCompleted);
        news.Tell();
        Assert.True(await waiting);
    }

    [Fact]
    public async Task News_that_come_while_it_looks_are_not_missed()
    {
        var news = new LinkNews(_clock);
        int looked = 0;
        Task<bool> waiting = news.UntilAsync(Look, Within);
        Assert.Equal(2, looked);
        Assert.True(await waiting);

        bool Look()
        {
            if (++looked == 1)
            {
                news.Tell();
            }

            return looked > 1;
        }
    }

    [Fact]
    public async Task Says_so_when_the_time_is_over_and_ends_with_who_waits()
    {
        var news = new LinkNews(_clock);
        Task<bool> waiting = news.UntilAsync(() => false, Within);
        _clock.Advance(Within - TimeSpan.FromMilliseconds(1));
        Assert.False(waiting.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(await waiting);

        using var gone = new CancellationTokenSource();
        Task<bool> given = news.UntilAsync(() => false, Within, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
    }
}
