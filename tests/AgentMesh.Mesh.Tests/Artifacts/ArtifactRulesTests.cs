using AgentMesh.Errors;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using Google.Protobuf;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Artifacts;

public sealed class ArtifactRulesTests
{
    private static readonly ContentHash Hash = ContentHash.Of(new byte[32]);

    [Theory]
    [InlineData("model=outputs/model.bin", "model", "outputs/model.bin")]
    [InlineData("outputs/model.bin", "model.bin", "outputs/model.bin")]
    [InlineData("a=b=c", "a", "b=c")]
    public void Reads_a_name_and_a_path(string text, string name, string path) => Assert.Equal(new JobArtifact(name, path), ArtifactNames.Parse(text));

    [Theory]
    [InlineData("a=/etc/passwd")]
    [InlineData("a=../x")]
    [InlineData("a=x/../../y")]
    [InlineData("a=x/..")]
    [InlineData("a=./x")]
    [InlineData("a=x//y")]
    [InlineData("a=x/")]
    [InlineData("a=")]
    [InlineData("=x")]
    [InlineData("a=x\\y")]
    [InlineData("a=c:x")]
    [InlineData("a=x\ny")]
    [InlineData(".a=x")]
    [InlineData("..=x")]
    [InlineData("a/b=x")]
    [InlineData("ä=x")]
    [InlineData("")]
    public void Refuses_what_leads_elsewhere(string text) => Assert.Equal(ArtifactErrors.BadArtifact, Assert.Throws<MeshException>(() => ArtifactNames.Parse(text)).Code);

    [Fact]
    public void Refuses_one_name_twice_and_too_many()
    {
        ArtifactNames.CheckAll(["a", "b"]);
        Assert.Throws<MeshException>(() => ArtifactNames.CheckAll(["a", "a"]));
        Assert.Throws<MeshException>(() => ArtifactNames.CheckAll(Enumerable.Range(0, 33).Select(i => $"a{i}")));
    }

    [Fact]
    public void A_hash_is_64_digits_with_or_without_its_prefix()
    {
        string digits = new('A', 64);
        Assert.True(ContentHash.TryParse("sha256:" + digits, out ContentHash hash));
        Assert.Equal("sha256:" + new string('a', 64), hash.ToString());
        Assert.True(ContentHash.TryParse(digits, out ContentHash same) && same == hash);
        Assert.False(ContentHash.TryParse("sha256:" + digits[1..], out _) || ContentHash.TryParse(digits[..63] + "/", out _) || ContentHash.TryParse(null, out _));
        Assert.True(ContentHash.Of(new byte[31]).IsNone);
    }

    [Fact]
    public void Order_with_a_name_path_or_hash_that_cannot_be_is_no_message()
    {
        Mesh.Contracts.Wire.RunAttempt good = Order(new Mesh.Contracts.Wire.Artifact { Name = "a", Path = "x" });
        Assert.IsType<RunAttempt>(MeshContracts.Read("attempt.run.1", good.ToByteArray()));
        Mesh.Contracts.Wire.RunAttempt[] bad =
        [
            Order(new Mesh.Contracts.Wire.Artifact { Name = "../a", Path = "x" }),
            Order(new Mesh.Contracts.Wire.Artifact { Name = "a", Path = "../x" }),
            Order(new Mesh.Contracts.Wire.Artifact { Name = "a", Path = "/x" }),
            Order([.. Enumerable.Range(0, 33).Select(i => new Mesh.Contracts.Wire.Artifact { Name = $"a{i}", Path = "x" })]),
            WithInput("..", 32, 1),
            WithInput("a", 31, 1),
            WithInput("a", 32, -1),
        ];
        Assert.All(bad, order => Assert.Throws<ContractException>(() => MeshContracts.Read("attempt.run.1", order.ToByteArray())));
    }

    [Fact]
    public void An_attempt_succeeded_only_with_every_artifact_that_this_home_took()
    {
        JobSpec spec = SpecOf(command: JobCommand.Program("x")) with { Artifacts = [new JobArtifact("a", "x"), new JobArtifact("b", "y")] };
        JobState job = JobState.None(Job).Apply(new AcceptedEvent(Start, spec, new Placement(1, Gpu, 5)));
        ArtifactRef a = new("a", Hash, 1), b = new("b", Hash, 2), other = new("other", Hash, 3);
        var told = new AttemptResult(AttemptOutcome.Succeeded, 0) { Artifacts = [b, other, a] };
        Assert.Equal([a, b], JobRules.WithArtifacts(job, told, Taken("a", "b")).Artifacts);
        Assert.Equal(ArtifactErrors.NotDelivered, JobRules.WithArtifacts(job, told, Taken("a")).Problem!.Code);
        AttemptResult ignorant = JobRules.WithArtifacts(job, told with { Artifacts = [] }, Taken("a", "b"));
        Assert.Equal((AttemptOutcome.Failed, 0), (ignorant.Outcome, ignorant.Artifacts.Count));
        Assert.Empty(JobRules.WithArtifacts(job, told with { Outcome = AttemptOutcome.Failed }, Taken("a", "b")).Artifacts);
    }

    private static Mesh.Contracts.Wire.RunAttempt Order(params Mesh.Contracts.Wire.Artifact[] artifacts)
    {
        var order = new RunAttempt(Job, 1, 1, Spec.Command, Laptop, null, TimeSpan.FromSeconds(10));
        Assert.True(MeshContracts.TryFind(order, out Contract? contract));
        Mesh.Contracts.Wire.RunAttempt wire = Mesh.Contracts.Wire.RunAttempt.Parser.ParseFrom(contract.Write(order));
        wire.Artifacts.AddRange(artifacts);
        return wire;
    }

    private static Mesh.Contracts.Wire.RunAttempt WithInput(string name, int hashBytes, long size)
    {
        Mesh.Contracts.Wire.RunAttempt wire = Order();
        wire.Inputs.Add(new Mesh.Contracts.Wire.ArtifactInput { Name = name, Sha256 = ByteString.CopyFrom(new byte[hashBytes]), Size = size });
        return wire;
    }

    private static HashSet<string> Taken(params string[] names) => [.. names];
}
