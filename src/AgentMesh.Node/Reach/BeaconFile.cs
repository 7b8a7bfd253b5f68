using AgentMesh.Beacon.Client;
using AgentMesh.Files;

namespace AgentMesh.Node.Reach;

/// <summary>The beacons that this device was invited by, one a line, in its data directory. What is no beacon is left out; a line that is deleted is forgotten at the next start.</summary>
internal sealed class BeaconFile(string path)
{
    public const string FileName = "beacons";

    public IReadOnlyList<BeaconAddress> Read()
    {
        try
        {
            return File.Exists(path) ? [.. File.ReadLines(path).Select(line => BeaconAddress.TryParse(line.Trim(), out BeaconAddress? place) ? place : null).OfType<BeaconAddress>()] : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public void Add(IEnumerable<BeaconAddress> places)
    {
        string[] lines = [.. Read().Concat(places).Select(place => place.ToString()).Distinct(StringComparer.Ordinal)];
        try
        {
            WholeFile.Write(path, string.Concat(lines.Select(line => line + "\n")));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It is used until the node stops; the setting does the same for good.
        }
    }
}
