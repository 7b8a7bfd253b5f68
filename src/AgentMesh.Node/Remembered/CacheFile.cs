using System.Text.Json;
using AgentMesh.Files;

namespace AgentMesh.Node.Remembered;

/// <summary>
/// A JSON object in a file of the data directory that helps and may be lost. Whatever somebody or a failing disk wrote into it, the node starts: what cannot be read is left
/// out and counted, and a copy of a damaged file is kept beside it, because the next <see cref="Write"/> takes its place.
/// </summary>
/// <param name="bytesMax">A longer file is damaged.</param>
internal sealed class CacheFile(string path, long bytesMax)
{
    public string Name => Path.GetFileName(path);

    public string DamagedCopy => path + ".damaged";

    /// <summary>Entries that were left out by the last <see cref="Read"/>; a file that cannot be read at all counts as one.</summary>
    public int Ignored { get; private set; }

    /// <param name="take">Gets the object, and gives how many of its entries it left out. May throw a <see cref="JsonException"/>.</param>
    public void Read(Func<JsonElement, int> take)
    {
        Ignored = 0;
        try
        {
            if (!File.Exists(path))
            {
                return;
            }

            if (new FileInfo(path).Length > bytesMax)
            {
                throw new JsonException("too long");
            }

            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            Ignored = document.RootElement.ValueKind == JsonValueKind.Object ? take(document.RootElement) : throw new JsonException("no object");
            if (Ignored > 0)
            {
                SetAside(() => File.Copy(path, DamagedCopy, overwrite: true));
            }
        }
        catch (JsonException)
        {
            Ignored = 1;
            SetAside(() => File.Move(path, DamagedCopy, overwrite: true));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Ignored = 1;
        }
    }

    /// <summary>In place of what was there, as a whole or not at all.</summary>
    public void Write(string text)
    {
        try
        {
            WholeFile.Write(path, text);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A full disk: what was there stays, and the next start knows a little less.
        }
    }

    /// <returns>False for a name that is no text, such as half a character.</returns>
    public static bool TryName(JsonProperty entry, out string name)
    {
        try
        {
            name = entry.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            name = "";
            return false;
        }
    }

    private static void SetAside(Action how)
    {
        try
        {
            how();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The next write takes its place.
        }
    }
}
