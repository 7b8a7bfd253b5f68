using AgentMesh.Cli.Sec;
using AgentMesh.Protocol.Crypto;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Invitations across kills of the node that gave them: each lets one device in, whenever the kill comes.</summary>
public sealed class InvitationRestartTests
{
    private const string Phrase = "four words are enough";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_file_works_once_across_kills_of_the_node_that_made_it()
    {
        await using TestNode lab = await TestNode.StartAsync("lab");
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode third = await TestNode.StartAsync("third");
        string phrase = PhraseFile(lab);
        string file = (await lab.RunAsync("sec", "create", "--passphrase-file", phrase, "--valid", "24h", "--grant", "run")).Done().Trim();
        lab.KillHard();
        await lab.UpAsync();
        Assert.Contains("open", (await lab.RunAsync("invitations")).Done(), StringComparison.Ordinal);

        Assert.Contains("paired with lab", (await laptop.RunAsync("sec", "join", file, "--passphrase-file", phrase)).Done(), StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("run", "@lab", "--", "echo", "1")).Out == "1\n", "the grant of the file counts", Minute);
        (await third.RunAsync("sec", "join", file, "--passphrase-file", phrase)).Refused("AM0146", "lab");
        lab.KillHard();
        await lab.UpAsync();
        (await third.RunAsync("sec", "join", file, "--passphrase-file", phrase)).Refused("AM0146", "lab");
        Assert.Contains("laptop", (await lab.RunAsync("invitations")).Done(), StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("run", "@lab", "--", "echo", "2")).Out == "2\n", "who came in by it stays in", Minute);
        Assert.Equal(1, (await lab.StatusAsync()).PeersKnown);
    }

    [Fact]
    public async Task A_kill_between_its_use_and_the_end_of_pairing_lets_the_one_in_and_nobody_else()
    {
        await using TestNode lab = await TestNode.StartAsync("lab");
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode third = await TestNode.StartAsync("third");
        string phrase = PhraseFile(lab);
        string file = (await lab.RunAsync("sec", "create", "--passphrase-file", phrase)).Done().Trim();
        string kept = Path.Combine(lab.Data, "invitations");

        Task<Ran> joining = laptop.RunAsync("sec", "join", file, "--passphrase-file", phrase);
        await KillWhenAsync(lab, () => File.ReadAllText(kept).Contains("usedBy", StringComparison.Ordinal));
        await lab.UpAsync();
        Ran joined = await joining;
        if (joined.Code != 0)
        {
            // Whose answer was lost may ask again.
            (await laptop.RunAsync("sec", "join", file, "--passphrase-file", phrase)).Done();
        }

        (await third.RunAsync("sec", "join", file, "--passphrase-file", phrase)).Refused("AM0146", "lab");
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@lab", "calc", "1+1")).Out == "2\n", "the two are paired", Minute);
        Assert.Equal(["laptop"], await OthersAsync(lab));
    }

    [Fact]
    public async Task Of_two_who_use_a_file_at_once_one_is_in_and_the_other_is_told()
    {
        await using TestNode lab = await TestNode.StartAsync("lab");
        await using TestNode one = await TestNode.StartAsync("one");
        await using TestNode two = await TestNode.StartAsync("two");
        string phrase = PhraseFile(lab);
        string file = (await lab.RunAsync("sec", "create", "--passphrase-file", phrase)).Done().Trim();

        Ran[] both = await Task.WhenAll(one.RunAsync("sec", "join", file, "--passphrase-file", phrase), two.RunAsync("sec", "join", file, "--passphrase-file", phrase));

        int winner = Array.FindIndex(both, ran => ran.Code == 0);
        Assert.True(winner >= 0, $"{both[0]}\n{both[1]}");
        both[1 - winner].Refused("AM0146", "lab");
        string[] expected = [winner == 0 ? "one" : "two"];
        await Eventually.HoldsAsync(async () => expected.SequenceEqual(await OthersAsync(lab)), "the one is in", Minute);
        Assert.Equal(0, (await (winner == 0 ? two : one).StatusAsync()).PeersKnown);
    }

    [Fact]
    public async Task An_expired_file_is_refused_by_the_clock_of_either_side()
    {
        await using TestNode lab = await TestNode.StartAsync("lab");
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        string phrase = PhraseFile(lab);
        (await lab.RunAsync("sec", "create", "--passphrase-file", phrase, "--valid", "25h")).Refused("AM0222", "--valid");
        string file = (await lab.RunAsync("sec", "create", "--passphrase-file", phrase, "--valid", "1s")).Done().Trim();
        await Task.Delay(TimeSpan.FromSeconds(2));

        (await laptop.RunAsync("sec", "join", file, "--passphrase-file", phrase)).Refused("AM0145", "lab");
        (await laptop.RunAsync("sec", "inspect", file, "--passphrase-file", phrase)).Refused("AM0145", "lab");

        // What a device with a slow clock sees: to it the file is good for another hour.
        SecContent content = SecFile.Read(File.ReadAllBytes(file)).Open(Phrase);
        File.WriteAllBytes(file, SecFile.Seal(content with { ValidUntil = content.ValidUntil + 3600 }, Phrase, SystemEntropy.Instance));
        (await laptop.RunAsync("sec", "join", file, "--passphrase-file", phrase)).Refused("AM0145", "lab says");
        lab.KillHard();
        await lab.UpAsync();
        (await laptop.RunAsync("sec", "join", file, "--passphrase-file", phrase)).Refused("AM0145", "lab says");
        Assert.Equal(0, (await lab.StatusAsync()).PeersKnown);
    }

    [Fact]
    public async Task A_damaged_file_of_invitations_is_put_aside_and_the_node_starts()
    {
        await using TestNode lab = await TestNode.StartAsync("lab");
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        string link = (await lab.RunAsync("invite", "--link")).Done().Trim();
        lab.KillHard();
        string kept = Path.Combine(lab.Data, "invitations");
        File.WriteAllText(kept, File.ReadAllText(kept)[..^20]);
        await lab.UpAsync();

        Assert.True(File.Exists(kept + ".damaged"));
        (await laptop.RunAsync("join", link)).Refused("AM0120");
        Assert.Contains("AM0182", (await lab.RunAsync("doctor")).Out, StringComparison.Ordinal);
        await lab.PairWithAsync(laptop);
    }

    private static async Task<IEnumerable<string>> OthersAsync(TestNode node) => (await node.PeersAsync()).Select(peer => peer.Name).Where(name => name != node.Name);

    private static string PhraseFile(TestNode node)
    {
        string file = Path.Combine(node.Data, "phrase");
        File.WriteAllText(file, Phrase + "\n");
        return file;
    }

    private static async Task KillWhenAsync(TestNode node, Func<bool> condition)
    {
        await Task.Run(() =>
        {
            long start = Environment.TickCount64;
            while (!condition())
            {
                Assert.True(Environment.TickCount64 - start < Minute.TotalMilliseconds, "what the kill waits for did not happen");
            }

            node.KillHard();
        });
    }
}
