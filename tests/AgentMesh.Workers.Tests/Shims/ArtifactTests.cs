using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Tests.Shims;

/// <summary>Programs with artifacts and inputs, in their shims, over restarts of the node.</summary>
public sealed class ArtifactTests
{
    private static readonly ContentHash Given = HashOf("given");

    [Fact]
    public async Task Finds_its_inputs_and_leaves_its_artifacts_with_the_hash_of_what_is_there()
    {
        var carrier = new Carrier();
        await using var lab = new ShimLab { Carrier = carrier };
        lab.Up();
        Execution run = lab.Node.StartOrGet(ShimLab.Script("test \"$PWD\" = $AGENTMESH_WORK_DIR && cat inputs/in $AGENTMESH_INPUT_DIR/in > $AGENTMESH_OUTPUT_DIR/out; echo b > b") with
        {
            Artifacts = [new JobArtifact("out", "outputs/out"), new JobArtifact("b", "b")],
            Inputs = [new ArtifactInput("in", Given, 5)],
        });
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((AttemptOutcome.Succeeded, null), (end.Outcome, end.Problem));
        Assert.Equal([new ArtifactRef("out", HashOf("givengiven"), 10), new ArtifactRef("b", HashOf("b\n"), 2)], end.Artifacts);
        Assert.Equal("givengiven", carrier.Delivered["out"]);
        string work = Assert.Single(Directory.GetDirectories(Path.Combine(lab.Root, ".attempts")));
        await lab.Take(run);
        await lab.Take(run, SpoolStream.Stderr);
        lab.Node.AcknowledgeEnd(run.Order.Key);
        Assert.False(Directory.Exists(work));
    }

    [Theory]
    [InlineData("true", "is not there")]
    [InlineData("ln -s /etc/hostname out", "is a link")]
    [InlineData("ln -s /etc d; ln -s d/hostname out", "is a link")]
    [InlineData("mkfifo out", "is no regular file")]
    [InlineData("mkdir out", "is a directory")]
    public async Task Fails_where_the_program_left_something_else_behind(string script, string why)
    {
        await using var lab = new ShimLab { Carrier = new Carrier() };
        lab.Up();
        AttemptResult end = await ShimLab.End(lab.Node.StartOrGet(ShimLab.Script(script) with { Artifacts = [new JobArtifact("a", "out")] }));
        Assert.Equal((AttemptOutcome.Failed, 0, ArtifactErrors.NotMade), (end.Outcome, end.ExitCode!.Value, end.Problem!.Code));
        Assert.Contains(why, end.Problem.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_fails_leaves_nothing_behind_and_one_without_its_input_is_not_begun()
    {
        var carrier = new Carrier();
        await using var lab = new ShimLab { Carrier = carrier };
        lab.Up();
        AttemptResult end = await ShimLab.End(lab.Node.StartOrGet(ShimLab.Script("echo x > out; exit 3") with { Artifacts = [new JobArtifact("a", "out")] }));
        Assert.Equal((AttemptOutcome.Failed, 3, 0), (end.Outcome, end.ExitCode!.Value, carrier.Delivered.Count));

        AttemptOrder without = ShimLab.Script("touch ../../begun") with { Key = ShimLab.Key(2), Inputs = [new ArtifactInput("in", HashOf("gone"), 4)] };
        end = await ShimLab.End(lab.Node.StartOrGet(without));
        Assert.Equal((AttemptOutcome.Refused, "AM0442"), (end.Outcome, end.Problem!.Code));
        Assert.False(File.Exists(lab.File("begun")));
    }

    [Fact]
    public async Task A_node_that_goes_while_it_delivers_delivers_after_it_is_back()
    {
        var carrier = new Carrier { Holds = true };
        await using var lab = new ShimLab { Carrier = carrier };
        Execution run = await lab.Start(ShimLab.Script("sleep 0.3; echo kept > out") with { Artifacts = [new JobArtifact("a", "out")] });
        await Task.WhenAny(carrier.Began.Task, run.Ended).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(carrier.Began.Task.IsCompleted, run.Ended.IsCompleted ? $"it ended: {await run.Ended}" : "");
        carrier.Holds = false;
        run = await lab.LeaveAndTakeOver();
        AttemptResult end = await ShimLab.End(run);
        Assert.Equal((AttemptOutcome.Succeeded, "kept\n"), (end.Outcome, carrier.Delivered["a"]));
        Assert.Equal([new ArtifactRef("a", HashOf("kept\n"), 5)], end.Artifacts);
    }

    [Fact]
    public async Task A_directory_that_nobody_knows_any_more_is_removed_at_the_start()
    {
        await using var lab = new ShimLab { Carrier = new Carrier() };
        string left = Directory.CreateDirectory(Path.Combine(lab.Root, ".attempts", "left")).FullName;
        lab.Up();
        Assert.False(Directory.Exists(left));
    }

    private static ContentHash HashOf(string text) => ContentHash.Of(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private sealed class Carrier : IArtifactCarrier
    {
        private volatile bool _holds;

        public bool Holds
        {
            get => _holds;
            set => _holds = value;
        }

        public TaskCompletionSource Began { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentDictionary<string, string> Delivered { get; } = new(StringComparer.Ordinal);

        public async Task DeliverAsync(AttemptKey key, ArtifactRef artifact, string file, CancellationToken cancellationToken)
        {
            Began.TrySetResult();
            if (Holds)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }

            Delivered[artifact.Name] = await File.ReadAllTextAsync(file, cancellationToken);
        }

        public Task FetchAsync(AttemptKey key, ArtifactInput input, string file, CancellationToken cancellationToken) => input.Hash == Given
            ? File.WriteAllTextAsync(file, "given", cancellationToken)
            : throw new MeshException("AM0442", "the content is not there any more", "run what made it again");
    }
}
