using System.Diagnostics;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Every wrong input gets a code and the next step, and nothing is lost by it.</summary>
public sealed class BadInputTests
{
    [Fact]
    public async Task Wrong_lines_are_refused_with_code_and_next_step()
    {
        await using TestNode node = await TestNode.StartAsync("one", """{ "commands": { "ping": "pong", "pong": "ping", "add": "calc 1+2" } }""");

        Refused(await node.RunAsync("@nobody", "calc", "1"), 255, "nobody", "one");
        Refused(await node.RunAsync("@one", "frobnicate"), null, "frobnicate", "help");
        Refused(await node.RunAsync("@one", "ping"), null, "ping", "pong");
        Refused(await node.RunAsync("@one", "calc", "1+*2"), null, "position 3");
        Refused(await node.RunAsync("join", "agentmesh://pair?broken"), 255, "AM01");
        Refused(await node.RunAsync("job", "show", "nothing"), 255, "nothing");
        Refused(await node.RunAsync("frobnicate"), 255, "AM0222");
        Ran after = await node.RunAsync("@one", "add");
        Assert.EndsWith("for command 'add': 3\n", after.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_node_on_the_same_data_directory_is_refused_and_the_first_goes_on()
    {
        await using TestNode node = await TestNode.StartAsync("one");

        Ran second = await node.RunAsync("up", "--port", "0");

        Refused(second, 255, "AM0205", node.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal("3\n", (await node.RunAsync("@one", "calc", "1+2")).Out);
    }

    [Theory]
    [InlineData("agentmesh {\n  device-name = \"a\"\n  listen { port = \n}\n", "AM0201", "line")]
    [InlineData("agentmesh { lisen { port = 1 } }", "AM0202", "listen")]
    [InlineData("agentmesh { jobs { attempts = many } }", "AM0203", "jobs.attempts")]
    [InlineData("agentmesh { link { keepalive = soon } }", "AM0203", "duration")]
    public async Task A_wrong_configuration_is_refused_with_its_place(string text, string code, string place)
    {
        await using var node = new TestNode("one");
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), text);

        Refused(await node.RunAsync("up", "--port", "0"), 255, code, "agentmesh.conf", place);
    }

    [Fact]
    public async Task A_used_and_an_expired_invitation_are_refused()
    {
        await using TestNode host = await TestNode.StartAsync("host");
        await using TestNode guest = await TestNode.StartAsync("guest");
        await using TestNode late = await TestNode.StartAsync("late");
        string link = (await host.RunAsync("invite", "--link")).Out.Trim();
        Assert.Equal(0, (await guest.RunAsync("join", link)).Code);

        Refused(await late.RunAsync("join", link), 255, "AM01");
        string brief = (await host.RunAsync("invite", "--link", "--valid", "1s")).Out.Trim();
        await Task.Delay(1500);
        Refused(await late.RunAsync("join", brief), 255, "AM01");
        Refused(await late.RunAsync("join", link[..^8]), 255, "AM01");
        Assert.Equal(0, (await late.RunAsync("join", (await host.RunAsync("invite", "--link")).Out.Trim())).Code);
    }

    [Fact]
    public async Task An_offline_device_is_named_at_once_with_when_it_was_last_seen_and_a_queued_job_waits_for_it()
    {
        await using TestNode here = await TestNode.StartAsync("here");
        await using TestNode away = await TestNode.StartAsync("away");
        await here.PairWithAsync(away);
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@away", "calc", "1")).Out == "1\n", "the pair works");
        Assert.Equal(0, (await away.RunAsync("down")).Code);
        await Eventually.HoldsAsync(async () => (await here.StatusAsync()).PeersConnected == 0, "the link is seen to be gone");

        var watch = Stopwatch.StartNew();
        Refused(await here.RunAsync("@away", "calc", "1"), 255, "away", "last seen");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"it took {watch.Elapsed}");

        string job = (await here.RunAsync("--queue", "--detach", "@away", "calc", "6*7")).Out.Trim();
        await away.UpAsync();
        await Eventually.HoldsAsync(async () => (await here.JobAsync(job)) is { State: "completed", Result: "42" }, "the queued job is done after the device came back");
    }

    [Fact]
    public async Task A_damaged_database_is_refused_and_left_as_it_is()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(0, (await node.RunAsync("@one", "echo", new string('x', 2000))).Code);
        }

        Assert.Equal(0, (await node.RunAsync("down")).Code);
        string file = Path.Combine(node.Data, "journal.db");
        byte[] bytes = File.ReadAllBytes(file);
        for (int at = bytes.Length / 3; at < bytes.Length * 2 / 3; at++)
        {
            bytes[at] ^= 0x5a;
        }

        File.WriteAllBytes(file, bytes);

        Refused(await node.RunAsync("up", "--port", "0"), 255, "AM04", "journal.db");
        Assert.Equal(bytes, File.ReadAllBytes(file));
    }

    private static void Refused(Ran ran, int? code, params string[] texts)
    {
        Assert.True(code is { } exact ? ran.Code == exact : ran.Code != 0, ran.ToString());
        foreach (string text in texts)
        {
            Assert.Contains(text, ran.Error, StringComparison.Ordinal);
        }

        Assert.Matches(@"AM0\d{3}", ran.Error);
    }
}
