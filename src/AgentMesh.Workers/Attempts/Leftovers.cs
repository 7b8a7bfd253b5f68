namespace AgentMesh.Workers.Attempts;

/// <summary>Removes the directories of attempts that nobody wants any more.</summary>
internal static class Leftovers
{
    // Who writes into it still, such as a shim that records its end, does so once.
    private const int Tries = 5;

    /// <summary>What cannot be removed now, the next start of the node tries again.</summary>
    public static void Remove(string directory)
    {
        for (int tries = 1; tries <= Tries && Directory.Exists(directory); tries++)
        {
            try
            {
                Directory.Delete(directory, recursive: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A file has come meanwhile.
            }
        }
    }
}
