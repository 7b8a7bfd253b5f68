using Google.Protobuf;

namespace AgentMesh.Mesh.Contracts;

/// <summary>One entry of the closed registry: a domain type, its manifests and its bytes.</summary>
internal sealed record Contract(Type Type, IReadOnlyList<string> Manifests, Func<object, string> ManifestOf, Func<object, byte[]> Write, Func<byte[], object> Read)
{
    public static Contract Of<T, TWire>(string manifest, MessageParser<TWire> parser, Func<T, TWire> write, Func<TWire, T> read)
        where T : class
        where TWire : IMessage<TWire> => Of(_ => manifest, [manifest], parser, write, read);

    public static Contract Of<T, TWire>(Func<T, string> manifestOf, IReadOnlyList<string> manifests, MessageParser<TWire> parser, Func<T, TWire> write, Func<TWire, T> read)
        where T : class
        where TWire : IMessage<TWire> => new(
            typeof(T),
            manifests,
            message => manifestOf((T)message),
            message => write((T)message).ToByteArray(),
            bytes => read(parser.ParseFrom(bytes)));
}
