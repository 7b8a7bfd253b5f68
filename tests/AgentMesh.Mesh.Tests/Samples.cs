using System.Collections.Immutable;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Turns;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Tests;

internal static class Samples
{
    public static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static readonly DeviceId Home = Device('a');

    public static readonly DeviceId Gpu = Device('b');

    public static readonly DeviceId Third = Device('c');

    public static readonly JobId Job = JobId.FromIdempotencyKey(Home, "sample");

    public static readonly Caller Laptop = new(Home, "laptop", "ada");

    public static readonly JobSpec Spec = SpecOf();

    public static readonly PeerFacts Facts = new("gpu-box", Key(7), ["run", "calc"], "linux-x64", "gpu.local");

    public static DeviceId Device(char fill) => DeviceId.Parse(new string(fill, DeviceId.TextLength));

    public static DevicePublicKey Key(byte fill) => new(Enumerable.Repeat(fill, DevicePublicKey.Size).ToArray());

    public static JobSpec SpecOf(RetryPolicy? retry = null, JobTimeouts? timeouts = null, bool queue = false, string? key = null, JobCommand? command = null) => new(
        command ?? JobCommand.Handler("calc 1+2"),
        new JobTarget(Gpu, "gpu", "gpu-box"),
        Laptop,
        retry ?? RetryPolicy.Default,
        timeouts ?? JobTimeouts.Default,
        key,
        queue);

    public static JobSpec FullSpec => new(
        new JobCommand("add 1", [], ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [KeyValuePair.Create("add", "calc 1+")]))
        {
            Environment = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [KeyValuePair.Create("MODE", "a b")]),
            Directory = "~/runs",
        },
        new JobTarget(Gpu, "@0", "gpu-box") { Why = "the only one" },
        Laptop,
        new RetryPolicy(5, TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(9), 0.25, RetryExitCodes: true, [2, 64], FailWhenUsedUp: true),
        new JobTimeouts(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromHours(3), TimeSpan.FromSeconds(4)),
        "a key",
        QueueWhenOffline: true)
    {
        Needs = new JobNeeds(ResourceAmounts.Parse(["gpu=1", "mem=24G"]), -3, "train"),
        After = [new JobDependency(DependencyCondition.Ok, JobId.FromIdempotencyKey(Home, "before")), new JobDependency(DependencyCondition.Any, Job)],
        Owner = new JobOwner("workflow/x", "train"),
        Artifacts = [new JobArtifact("model", "outputs/model.bin")],
        Inputs = [new ArtifactInput("in", ContentHash.Of(new byte[32]), 7)],
    };

    public static AttemptResult FullResult => new(AttemptOutcome.Failed, -3, "text", 12, 34, new Problem("AM0601", "what", "next"), "add") { Artifacts = [new ArtifactRef("model", ContentHash.Of(new byte[32]), 7)], RetryAfter = TimeSpan.FromSeconds(7) };
}
