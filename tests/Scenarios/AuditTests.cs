using Scenarios.Harness;

namespace Scenarios;

public sealed class AuditTests
{
    [Fact]
    public async Task A_device_can_tell_who_had_what_run_there_after_it_was_killed_and_the_other_forgotten()
    {
        await using TestNode here = await TestNode.StartAsync("here");
        await using TestNode there = await TestNode.StartAsync("there");
        await here.PairWithAsync(there);
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@there", "calc", "1+2")).Out == "3\n", "the pair works");
        Ran refused = await here.RunAsync("run", "@there", "--", "true");
        Assert.True(refused.Error.Contains("AM0306", StringComparison.Ordinal), refused.ToString());

        there.KillHard();
        await there.UpAsync();
        string id = (await here.StatusAsync()).Id;
        Ran forgotten = await there.RunAsync("forget", "here");
        Assert.True(forgotten.Code == 0, forgotten.ToString());

        Ran all = await there.RunAsync("audit", "--peer", id[..8]);
        string[] lines = all.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(all.Code == 0 && lines.Length >= 3, all.ToString());
        Assert.Matches("refused AM0306 .*run -- true", lines[1]);
        Assert.Matches("succeeded .*calc 1\\+2", lines[2]);
        Ran none = await there.RunAsync("audit", "--outcome", "failed");
        Assert.DoesNotContain("calc", none.Out, StringComparison.Ordinal);
        Ran unknown = await there.RunAsync("audit", "--peer", "nobody");
        Assert.True(unknown.Code == 255 && unknown.Error.Contains("AM0302", StringComparison.Ordinal), unknown.ToString());
    }
}
