using System.Globalization;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>A node on a disk of a few megabytes, until it is full and after there is room again.</summary>
public sealed class FullDiskTests
{
    [SkippableFact]
    public async Task What_was_accepted_before_the_disk_was_full_is_kept_and_commands_work_again_when_there_is_room()
    {
        await using var node = new TestNode("small");
        string refused = Shell.RunBoth("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", node.Data);
        Skip.If(refused.Length > 0, $"a small disk cannot be mounted here: {refused}");
        try
        {
            await node.UpAsync();
            int accepted = 0, open = 0;
            Ran ran;
            while ((ran = await Fill(node)).Code == 0 || ran.Error.Contains("AM0320", StringComparison.Ordinal))
            {
                // The last room may have gone to a job whose end cannot be written: it waits for room.
                _ = ran.Code == 0 ? accepted++ : open++;
                Assert.True(accepted < 500 && open < 5, "the disk does not become full");
            }

            Assert.True(ran.Code == 255, ran.ToString());
            Assert.Contains("AM0321", ran.Error, StringComparison.Ordinal);
            Assert.Matches("no room left|circuit breaker is open", ran.Error);
            Assert.Equal(accepted, await Completed(node));

            Assert.Empty(Shell.RunBoth("mount", "-o", "remount,size=60m", node.Data));
            await Eventually.HoldsAsync(async () => (await node.RunAsync("@small", "calc", "2+2")).Out == "4\n", "the journal takes jobs again", TimeSpan.FromSeconds(60));
            accepted += open + 1;
            await Eventually.HoldsAsync(async () => await Completed(node) == accepted, $"{accepted} jobs complete");

            Assert.Equal(0, (await node.RunAsync("down")).Code);
            await node.UpAsync();
            Assert.Equal(accepted, await Completed(node));
            Assert.Equal(0, (await node.RunAsync("down")).Code);
        }
        finally
        {
            await node.EndAsync();
            Shell.Run("umount", node.Data);
        }
    }

    private static Task<Ran> Fill(TestNode node) => node.RunAsync("--timeout", "15s", "@small", "echo", new string('x', 30_000));

    private static async Task<int> Completed(TestNode node)
    {
        Ran list = await node.RunAsync("--json", "job", "list", "--state", "completed", "--limit", 1000.ToString(CultureInfo.InvariantCulture));
        Assert.True(list.Code == 0, list.ToString());
        return list.Out.Split("\"state\":\"completed\"").Length - 1;
    }
}
