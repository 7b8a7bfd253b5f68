using Scenarios.Harness;

namespace Scenarios;

public sealed class SecTests
{
    [Fact]
    public async Task A_file_and_its_passphrase_pair_two_devices_once()
    {
        await using TestNode lab = await TestNode.StartAsync("lab");
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode third = await TestNode.StartAsync("third");
        string right = Write(lab, "right", "four words are enough\n"), wrong = Write(lab, "wrong", "four words are too few\n");

        string file = (await lab.RunAsync("sec", "create", "--passphrase-file", right, "--grant", "run")).Done().Trim();
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(file)!));
        }

        string outside = (await laptop.RunAsync("sec", "inspect", file)).Done();
        Assert.Contains("600000 iterations", outside, StringComparison.Ordinal);
        Assert.DoesNotContain("lab (", outside, StringComparison.Ordinal);
        Assert.Contains("invites to  lab", (await laptop.RunAsync("sec", "inspect", file, "--passphrase-file", right)).Done(), StringComparison.Ordinal);

        (await laptop.RunAsync("sec", "join", file, "--passphrase-file", wrong)).Refused("AM0144");
        Assert.Contains("paired with lab", (await laptop.RunAsync("sec", "join", file, "--passphrase-file", right)).Done(), StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("run", "@lab", "--", "echo", "1")).Out == "1\n", "the grant of the file counts", TimeSpan.FromMinutes(1));
        (await third.RunAsync("sec", "join", file, "--passphrase-file", right)).Refused("AM0146", "lab");
        (await third.RunAsync("sec", "join", right, "--passphrase-file", right)).Refused("AM0143");
        (await third.RunAsync("sec", "join", file + ".not", "--passphrase-file", right)).Refused("AM0142");
        (await third.RunAsync("sec", "create")).Refused("AM0148");
    }

    private static string Write(TestNode node, string name, string text)
    {
        string file = Path.Combine(node.Data, name);
        File.WriteAllText(file, text);
        return file;
    }
}
