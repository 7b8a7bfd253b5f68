using System.Security.Cryptography;
using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Files that go from one device to another through the home of their jobs, while nodes are killed.</summary>
public sealed class ArtifactTests
{
    private const int Bytes = 20_000_000;

    [Fact]
    public async Task A_file_reaches_the_next_device_though_its_maker_and_the_home_are_killed_before_it_was_delivered()
    {
        await using TestNode home = await TestNode.StartAsync("home");
        await using TestNode one = await TestNode.StartAsync("one");
        await using TestNode two = await TestNode.StartAsync("two");
        await home.PairWithAsync(one);
        await home.PairWithAsync(two);
        (await one.RunAsync("grant", "home", "run")).Done();
        (await two.RunAsync("grant", "home", "run")).Done();
        string file = Path.Combine(home.Data, "flow.yaml"), gate = Path.Combine(one.Data, "go"), made = Path.Combine(one.Data, "made");
        File.WriteAllText(file, $$$"""
            steps:
              - name: make
                on: "@one"
                run: |
                  echo run >> {{{made}}}.runs
                  head -c {{{Bytes}}} /dev/urandom > outputs/data.bin
                  sha256sum < outputs/data.bin
                  while test ! -e {{{gate}}}; do sleep 0.1; done
                  touch {{{made}}}
                artifacts: { data: outputs/data.bin }
              - name: use
                on: "@two"
                needs: [make]
                run: test "$(sha256sum < inputs/in)" = {{steps.make.result}} && cp inputs/in copy
                inputs: { in: make/data }
                artifacts: { copy: copy }
            """);
        string id = (await home.RunAsync("workflow", "run", file, "--detach")).Done().Trim();
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(made + ".runs")), "the program runs");
        home.KillHard();
        File.WriteAllText(gate, "");
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(made)), "the program is over");
        one.KillHard();
        await one.UpAsync();
        await home.UpAsync();

        Ran followed = await home.RunAsync("--json", "workflow", "show", id, "--follow");
        WorkflowView done = JsonSerializer.Deserialize(followed.Done(), ControlJson.Default.WorkflowView)!;
        Assert.Equal(("completed", "run\n"), (done.State, File.ReadAllText(made + ".runs")));
        ArtifactRefView data = Assert.Single(done.Steps[0].Jobs[0].Artifacts), copy = Assert.Single(done.Steps[1].Jobs[0].Artifacts);
        Assert.Equal((data.Hash, (long)Bytes), (copy.Hash, copy.Size));

        string got = Path.Combine(home.Data, "got");
        (await home.RunAsync("artifact", "get", $"{done.Steps[0].Jobs[0].ShortId}/data", "-o", got)).Done();
        Assert.Equal(data.Hash, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(got))));
        IReadOnlyList<ArtifactView> list = JsonSerializer.Deserialize((await home.RunAsync("--json", "artifact", "list")).Done(), ControlJson.Default.IReadOnlyListArtifactView)!;
        Assert.Equal(["copy", "data"], list.Select(artifact => artifact.Name).Order());
        Assert.Single(Directory.GetFiles(Path.Combine(home.Data, "artifacts", "content"), "*", SearchOption.AllDirectories));

        // The fork takes the file from the store, though its maker is gone.
        one.KillHard();
        string fork = (await home.RunAsync("workflow", "fork", id, "--from-step", "use", "--detach")).Done().Trim();
        Assert.Equal(0, (await home.RunAsync("workflow", "show", fork, "--follow")).Code);
    }

    [Fact]
    public async Task Files_are_put_taken_and_removed_and_what_is_wrong_is_refused()
    {
        await using TestNode home = await TestNode.StartAsync("home");
        string put = (await home.RunWithInputAsync("one\n", "artifact", "put", "-", "--name", "words")).Done();
        string hash = put.Trim().Split(' ')[1];
        Assert.Equal("one\n", (await home.RunAsync("run", "--input", "in=words", "--", "cat", "inputs/in")).Done());
        Assert.Equal("one\n", (await home.RunAsync("run", "--input", $"in={hash}", "--artifact", "out=copy", "--", "sh", "-c", "tee copy < inputs/in")).Done());
        Assert.Equal("one\n", (await home.RunAsync("artifact", "get", hash, "-o", "-")).Done());
        (await home.RunAsync("artifact", "rm", "words")).Done();
        Assert.Equal("one\n", (await home.RunAsync("artifact", "get", hash, "-o", "-")).Done());
        (await home.RunAsync("artifact", "rm", hash)).Done();
        (await home.RunAsync("artifact", "get", hash, "-o", "-")).Refused("AM0442");
        (await home.RunAsync("run", "--input", $"in={hash}", "--", "cat", "inputs/in")).Refused("AM0442");
        (await home.RunAsync("run", "--artifact", "a=../x", "--", "true")).Refused("AM0446");
        (await home.RunAsync("run", "--input", "in=sha256:12", "--", "true")).Refused("AM0446");
        Ran missing = await home.RunAsync("run", "--artifact", "a=nothing", "--", "true");
        Assert.Equal(255, missing.Code);
        Assert.Contains("AM0445", missing.Error, StringComparison.Ordinal);
        Assert.Equal("[]", (await home.RunAsync("--json", "artifact", "list")).Done().Trim());
    }
}
