using AgentMesh.Node.Output;
using AgentMesh.Workers.Tests.Input;

namespace AgentMesh.Node.Tests.Output;

public sealed class BulkPaceTests
{
    private const int Rate = 1_000_000;
    private readonly ManualTime _time = new();

    [Fact]
    public void Nothing_waits_while_no_command_is_served()
    {
        var pace = new BulkPace(Rate, _time);
        for (int i = 0; i < 100; i++)
        {
            Assert.True(pace.PassAsync(Rate, default).IsCompleted);
        }
    }

    [Fact]
    public void Nothing_waits_without_a_rate()
    {
        var pace = new BulkPace(null, _time);
        pace.CommandSeen();
        Assert.True(pace.PassAsync(100 * Rate, default).IsCompleted);
    }

    [Fact]
    public void Beside_commands_the_rate_holds_and_afterwards_it_does_not()
    {
        var pace = new BulkPace(Rate, _time);
        pace.CommandSeen();
        long passed = 0;
        ValueTask next = ValueTask.CompletedTask;
        for (int ms = 0; ms < 900; ms++)
        {
            for (int i = 0; i < 100 && next.IsCompleted; i++)
            {
                next = pace.PassAsync(500, default);
                passed += 500;
            }

            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.InRange(passed, 0.9 * Rate, 0.93 * Rate); // 900 ms, the 20 ms that may be made up for, and what is ahead
        _time.Advance(BulkPace.Stretch);
        Assert.True(pace.PassAsync(10 * Rate, default).IsCompleted);
        Assert.True(pace.PassAsync(10 * Rate, default).IsCompleted);
    }

    [Fact]
    public void A_wait_that_ended_late_is_made_up_for_but_a_rest_is_not_saved_up()
    {
        var pace = new BulkPace(Rate, _time);
        pace.CommandSeen();
        Assert.False(pace.PassAsync(10_000, default).IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(40)); // it was to end after 10
        pace.CommandSeen();
        Assert.True(pace.PassAsync(22_000, default).IsCompleted);
        Assert.False(pace.PassAsync(5_000, default).IsCompleted);
    }
}
