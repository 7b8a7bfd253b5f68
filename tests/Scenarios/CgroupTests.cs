using System.Globalization;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Programs in a cgroup of their own, with the node as people start it.</summary>
public sealed class CgroupTests
{
    [SkippableFact]
    public async Task What_a_program_leaves_behind_ends_with_it_and_what_it_took_is_told()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "not as root");
        await using var solo = new TestNode("solo");
        File.WriteAllText(Path.Combine(solo.Data, "agentmesh.conf"), "agentmesh.workers.cgroups = on\n");
        Ran up = await solo.RunAsync("up", "--detach", "--name", "solo", "--port", "0", "--listen", "127.0.0.1");
        Skip.If(up.Code != 0 && up.Error.Contains("AM0626", StringComparison.Ordinal), up.Error);
        Assert.True(up.Code == 0, up.ToString());

        Assert.Contains("ok    cgroups         programs have their own in /", (await solo.RunAsync("doctor")).Out, StringComparison.Ordinal);

        string mark = Path.Combine(solo.Data, "away");
        string job = (await solo.RunAsync("run", "--detach", "--", "sh", "-c", $"env -i setsid sh -c 'echo $$ > {mark}; exec sleep 300' & until test -s {mark}; do sleep 0.05; done; exec sleep 0.2")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await solo.JobAsync(job)).State == "completed", "the program ends");
        int away = int.Parse(File.ReadAllText(mark).Trim(), CultureInfo.InvariantCulture);
        Assert.False(File.Exists($"/proc/{away}/stat"));
        Assert.Contains(" s of processors", (await solo.RunAsync("job", "show", job)).Done(), StringComparison.Ordinal);
        Assert.True((await solo.JobAsync(job)).Usage?.CpuSeconds > 0);

        // Cancelled, in the middle, and with the node gone meanwhile.
        File.Delete(mark);
        job = (await solo.RunAsync("run", "--detach", "--", "sh", "-c", $"env -i setsid sh -c 'echo $$ > {mark}; exec sleep 300' & sleep 300")).Done().Trim();
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(mark) && File.ReadAllText(mark).EndsWith('\n')), "it is away");
        away = int.Parse(File.ReadAllText(mark).Trim(), CultureInfo.InvariantCulture);
        solo.KillHard();
        await solo.UpAsync();
        Assert.True(File.Exists($"/proc/{away}/stat"));
        (await solo.RunAsync("job", "cancel", job)).Done();
        await Eventually.HoldsAsync(async () => (await solo.JobAsync(job)).State == "cancelled" && !File.Exists($"/proc/{away}/stat"), "all of it ends");
    }
}
