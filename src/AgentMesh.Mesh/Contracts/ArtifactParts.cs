using AgentMesh.Mesh.Artifacts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Artifacts on the wire and on disk. What has a name, a path, a hash or a length that cannot be is refused when it is read.</summary>
internal static class ArtifactParts
{
    public static Wire.Artifact ToWire(JobArtifact artifact) => new() { Name = artifact.Name, Path = artifact.Path };

    public static Wire.ArtifactInput ToWire(ArtifactInput input) => new() { Name = input.Name, Sha256 = Google.Protobuf.ByteString.CopyFrom(input.Hash.ToBytes()), Size = input.Size };

    public static Wire.ArtifactRef ToWire(ArtifactRef artifact) => new() { Name = artifact.Name, Sha256 = Google.Protobuf.ByteString.CopyFrom(artifact.Hash.ToBytes()), Size = artifact.Size };

    public static ValueList<JobArtifact> FromWire(IReadOnlyCollection<Wire.Artifact> wire) =>
        [.. Bounded(wire).Select(each => new JobArtifact(ToName(each.Name), ArtifactNames.IsPath(each.Path) ? each.Path : throw new ContractException("no path of an artifact")))];

    public static ValueList<ArtifactInput> FromWire(IReadOnlyCollection<Wire.ArtifactInput> wire) => [.. Bounded(wire).Select(each => new ArtifactInput(ToName(each.Name), ToHash(each.Sha256), ToSize(each.Size)))];

    public static ValueList<ArtifactRef> FromWire(IReadOnlyCollection<Wire.ArtifactRef> wire) => [.. Bounded(wire).Select(each => new ArtifactRef(ToName(each.Name), ToHash(each.Sha256), ToSize(each.Size)))];

    private static string ToName(string name) => ArtifactNames.IsName(name) ? name : throw new ContractException("no name of an artifact");

    private static long ToSize(long size) => size >= 0 ? size : throw new ContractException($"{size} is no size");

    private static ContentHash ToHash(Google.Protobuf.ByteString bytes) => ContentHash.Of(bytes.Span) is { IsNone: false } hash ? hash : throw new ContractException("no SHA-256");

    private static IReadOnlyCollection<T> Bounded<T>(IReadOnlyCollection<T> all) => all.Count <= ArtifactNames.CountMax ? all : throw new ContractException("too many artifacts");
}
