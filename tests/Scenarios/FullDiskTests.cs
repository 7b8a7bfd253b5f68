using System.Globalization;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>A node on a disk of a few megabytes, until it is full and after there is room again.</summary>
[Collection("processes")]
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
            int accepted = 0;
            Ran ran;
            while ((ran = await Fill(node)).Code == 0)
            {
                accepted++;
                Assert.True(accepted < 500, "the disk does not become full");
            }

            Assert.True(ran.Code == 255, ran.ToString());
            Assert.Contains("AM0321", ran.Error, StringComparison.Ordinal);
            Assert.Contains("no room left", ran.Error, StringComparison.Ordinal);
            Assert.Equal(accepted, await Completed(node));

            Assert.Empty(Shell.RunBoth("mount", "-o", "remount,size=60m", node.Data));
            Ran after = await node.RunAsync("@small", "calc", "2+2");
            Assert.True(after.Out == "4\n", after.ToString());
            Assert.Equal(accepted + 1, await Completed(node));

            Assert.Equal(0, (await node.RunAsync("down")).Code);
            await node.UpAsync();
            Assert.Equal(accepted + 1, await Completed(node));
            Assert.Equal(0, (await node.RunAsync("down")).Code);
        }
        finally
        {
            await node.EndAsync();
            Shell.Run("umount", node.Data);
        }
    }

    private static Task<Ran> Fill(TestNode node) => node.RunAsync("@small", "echo", new string('x', 30_000));

    private static async Task<int> Completed(TestNode node)
    {
        Ran list = await node.RunAsync("--json", "job", "list", "--state", "completed", "--limit", 1000.ToString(CultureInfo.InvariantCulture));
        Assert.True(list.Code == 0, list.ToString());
        return list.Out.Split("\"state\":\"completed\"").Length - 1;
    }
}
