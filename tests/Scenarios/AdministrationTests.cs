using System.Diagnostics;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>A device is administered from another one, by a grant.</summary>
public sealed class AdministrationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_device_is_administered_from_another_one_by_a_grant_and_not_without()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode lab = await TestNode.StartAsync("lab");
        await laptop.PairWithAsync(lab);
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@lab", "calc", "1+2")).Out == "3\n", "the pair works");
        string job = (await lab.RunAsync("run", "@lab", "--detach", "--", "sh", "-c", "echo begun; sleep 600")).Done().Trim();

        (await laptop.RunAsync("--on", "lab", "job", "list")).Refused("AM0179", "agentmesh grant laptop admin");
        (await lab.RunAsync("grant", "laptop", "run", "logs", "introduce")).Done();
        (await laptop.RunAsync("--on", "lab", "job", "list")).Refused("AM0179");

        // Who may look does no more.
        (await lab.RunAsync("grant", "laptop", "admin:read")).Done();
        Assert.Contains(job, (await laptop.RunAsync("--on", "lab", "job", "list")).Done(), StringComparison.Ordinal);
        Assert.Equal("begun\n", (await laptop.RunAsync("--on", "lab", "logs", job)).Done());
        (await laptop.RunAsync("--on", "lab", "job", "cancel", job)).Refused("AM0179", "admin");
        (await laptop.RunAsync("--on", "lab", "@lab", "calc", "1")).Refused("AM0179");
        Assert.Equal("running", (await lab.JobAsync(job)).State);

        Ran given = await lab.RunAsync("grant", "laptop", "admin");
        Assert.Contains("all that you can do here", given.Done() + given.Error, StringComparison.Ordinal);
        Assert.Contains("lab (this device)", (await laptop.RunAsync("--on", lab.Name, "devices", "list")).Done(), StringComparison.Ordinal);
        Assert.Equal("typed\n", (await laptop.RunWithInputAsync("typed\n", "--on", "lab", "run", "-i", "@lab", "--", "cat")).Done());
        (await laptop.RunAsync("--on", "lab", "cron", "add", "nightly", "0 3 * * *", "@lab", "calc", "1")).Done();
        Assert.Contains("nightly", (await lab.RunAsync("cron", "list")).Done(), StringComparison.Ordinal);
        Assert.DoesNotContain("nightly", (await laptop.RunAsync("cron", "list")).Done(), StringComparison.Ordinal);
        (await laptop.RunAsync("--on", "lab", "job", "cancel", job)).Done();
        await Eventually.HoldsAsync(async () => (await lab.JobAsync(job)).State == "cancelled", "it is cancelled there");

        (await laptop.RunAsync("--on", "lab", "doctor")).Refused("AM0190");
        (await laptop.RunAsync("--on", "lab", "down")).Refused("AM0190");
        (await laptop.RunAsync("--on", "laptop", "status")).Refused("AM0193");
        string log = (await lab.RunAsync("audit", "--peer", "laptop")).Done();
        Assert.Matches("laptop .*succeeded.* POST /v1/job/cancel\\?id=" + job, log);
        Assert.Matches("laptop .*refused AM0179.* POST /v1/job/cancel", log);
    }

    [Fact]
    public async Task What_follows_the_output_of_another_device_ends_with_its_grant_and_with_its_node()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode lab = await TestNode.StartAsync("lab");
        await laptop.PairWithAsync(lab);
        (await lab.RunAsync("grant", "laptop", "admin")).Done();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("--on", "lab", "status")).Code == 0, "the grant counts");
        string gate = Path.Combine(lab.Data, "gate");
        string job = (await laptop.RunAsync("--on", "lab", "run", "@lab", "--detach", "--", "sh", "-c", $"echo one; while [ ! -e {gate} ]; do sleep 0.05; done; echo two; sleep 600")).Done().Trim();

        using (Process following = laptop.Start("--on", "lab", "logs", "-f", job))
        {
            Assert.Equal("one", await following.StandardOutput.ReadLineAsync().WaitAsync(Patience));
            File.WriteAllText(gate, "");
            Assert.Equal("two", await following.StandardOutput.ReadLineAsync().WaitAsync(Patience));
            (await lab.RunAsync("grant", "laptop", "admin", "--revoke")).Done();
            await following.WaitForExitAsync().WaitAsync(Patience);
            Assert.Equal(255, following.ExitCode);
            Assert.Contains("AM0179", await following.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        }

        (await laptop.RunAsync("--on", "lab", "status")).Refused("AM0179");
        (await lab.RunAsync("grant", "laptop", "admin")).Done();
        using (Process following = laptop.Start("--on", "lab", "logs", "-f", job))
        {
            Assert.Equal("one", await following.StandardOutput.ReadLineAsync().WaitAsync(Patience));
            Assert.Equal("two", await following.StandardOutput.ReadLineAsync().WaitAsync(Patience));
            lab.KillHard();
            await following.WaitForExitAsync().WaitAsync(Patience);
            string error = await following.StandardError.ReadToEndAsync();
            Assert.Equal(255, following.ExitCode);
            Assert.Matches("AM0304|AM0192", error);
            Assert.Contains("next: ", error, StringComparison.Ordinal);
        }

        (await laptop.RunAsync("--on", "lab", "status")).Refused("AM0304");
        await lab.UpAsync();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("--on", "lab", "job", "show", job)).Code == 0, "the grant and the job outlive the node");
    }
}
