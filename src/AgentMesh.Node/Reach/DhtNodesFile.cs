using System.Net;
using AgentMesh.Files;

namespace AgentMesh.Node.Reach;

/// <summary>Nodes of the DHT that answered lately, one address a line, in the data directory: the way in again when those of the settings are gone. What is no address is left out.</summary>
internal sealed class DhtNodesFile(string path)
{
    public const string FileName = "dht-nodes";
    public const int NodesMax = 64;

    // Of a file that somebody else has written; a line of an address has at most 48.
    private const int BytesMax = 64 * 1024;

    public IReadOnlyList<IPEndPoint> Read()
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: <= BytesMax }
                ? [.. File.ReadLines(path).Select(line => IPEndPoint.TryParse(line.Trim(), out IPEndPoint? at) && at.Port > 0 ? at : null).OfType<IPEndPoint>().Take(NodesMax)]
                : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>In place of those before. None leaves those before.</summary>
    public void Write(IReadOnlyList<IPEndPoint> nodes)
    {
        if (nodes.Count == 0)
        {
            return;
        }

        try
        {
            WholeFile.Write(path, string.Concat(nodes.Take(NodesMax).Select(node => $"{node}\n")));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The next start begins with those of the settings.
        }
    }
}
