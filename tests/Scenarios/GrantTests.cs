using Scenarios.Harness;

namespace Scenarios;

/// <summary>What a device lets another one do, program by program.</summary>
public sealed class GrantTests
{
    [Fact]
    public async Task A_device_lets_another_start_one_program_in_one_directory_and_use_one_command()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using var gpu = new TestNode("gpu");
        File.WriteAllText(Path.Combine(gpu.Data, "agentmesh.conf"), "agentmesh.grants.commands = granted\n");
        await gpu.UpAsync();
        await laptop.PairWithAsync(gpu);
        string beside = Path.GetDirectoryName(gpu.Data)!;
        string data = Directory.CreateDirectory(Path.Combine(beside, "set", "one")).FullName, outside = Directory.CreateDirectory(Path.Combine(beside, "outside")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(data, "way-out"), outside);

        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("@gpu", "calc", "1+2")).Error.Contains("AM0306", StringComparison.Ordinal), "the other device answers, and refuses");
        (await gpu.RunAsync("grant", "laptop", "command:calc")).Done();
        Assert.Equal("3\n", (await laptop.RunAsync("@gpu", "calc", "1+2")).Done());
        (await laptop.RunAsync("@gpu", "status")).Refused("AM0306");

        (await laptop.RunAsync("run", "@gpu", "--", "pwd")).Refused("AM0306");
        (await gpu.RunAsync("grant", "laptop", "run:pwd", $"dir:{Path.GetDirectoryName(data)}")).Done();
        Assert.Equal(data + "\n", (await laptop.RunAsync("run", "--dir", data, "@gpu", "--", "pwd")).Done());
        (await laptop.RunAsync("run", "@gpu", "--", "sh", "-c", "pwd")).Refused("AM0306", "agentmesh grant laptop run:sh");
        (await laptop.RunAsync("run", "@gpu", "--", "/bin/pwd")).Refused("AM0306");
        (await laptop.RunAsync("run", "--env", "LD_PRELOAD=x", "@gpu", "--", "pwd")).Refused("AM0306");
        (await laptop.RunAsync("run", "--dir", outside, "@gpu", "--", "pwd")).Refused("AM0306");
        (await laptop.RunAsync("run", "--dir", Path.Combine(data, "way-out"), "@gpu", "--", "pwd")).Refused("AM0306");
        (await laptop.RunAsync("run", "--dir", Path.Combine(data, "nowhere"), "@gpu", "--", "pwd")).Refused("AM0628");

        // They are there after kill -9, and each can be taken back.
        gpu.KillHard();
        await gpu.UpAsync();
        await Eventually.HoldsAsync(async () => (await laptop.RunAsync("run", "@gpu", "--", "pwd")).Code == 0, "the grant survives");
        (await gpu.RunAsync("grant", "laptop", "run:pwd", "--revoke")).Done();
        (await laptop.RunAsync("run", "@gpu", "--", "pwd")).Refused("AM0306");

        (await gpu.RunAsync("grant", "laptop", "run")).Done();
        Assert.Equal("x y\n", (await laptop.RunAsync("run", "--env", "A=x y", "@gpu", "--", "sh", "-c", "echo $A")).Done());
        Assert.Equal(outside + "\n", (await laptop.RunAsync("run", "--dir", outside, "@gpu", "--", "pwd")).Done());
        (await gpu.RunAsync("grant", "laptop", "model:big")).Refused("AM0332");
    }
}
