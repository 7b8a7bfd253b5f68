using Scenarios.Harness;

namespace Scenarios;

/// <summary>The output of a job, read on a device that has nothing to do with it.</summary>
public sealed class OutputFromAnywhereTests
{
    [Fact]
    public async Task Another_device_reads_follows_and_resumes_the_output_of_a_job_when_it_may()
    {
        await using TestNode home = await TestNode.StartAsync("home");
        await using TestNode other = await TestNode.StartAsync("other");
        await home.PairWithAsync(other);
        string gate = Path.Combine(home.Data, "gate");
        string job = (await home.RunAsync("run", "@home", "--detach", "--", "sh", "-c", $"seq 1 5; echo oops >&2; while [ ! -e {gate} ]; do sleep 0.05; done; seq 6 10")).Done().Trim();
        string whole = (await home.JobAsync(job)).Id;
        (await other.RunAsync("logs", whole)).Refused("AM0364");
        (await home.RunAsync("grant", "other", "logs")).Done();
        await Eventually.HoldsAsync(async () => (await other.RunAsync("logs", "--stream", "out", whole)).Out == "1\n2\n3\n4\n5\n", "what is there is read");
        Assert.Equal("4\n5\n", (await other.RunAsync("logs", "--stream", "out", "--tail", "2", "--at", "@home", job)).Done());

        Task<Ran>[] readers = [.. Enumerable.Range(0, 3).Select(_ => other.RunAsync("logs", "-f", "--from", "4", "--stream", "out", whole)), home.RunAsync("logs", "-f", "--from", "4", "--stream", "out", job)];
        await Task.Delay(300);
        File.WriteAllText(gate, "");
        foreach (Task<Ran> reader in readers)
        {
            Assert.Equal("3\n4\n5\n6\n7\n8\n9\n10\n", (await reader).Done());
        }

        Ran both = await other.RunAsync("logs", whole);
        Assert.Equal(("oops\n", 21), (both.Error, both.Out.Length));
        (await other.RunAsync("logs", "--at", "@home", "zzzzzzz")).Refused("AM0307");
    }
}
