using System.Text;
using AgentMesh.Errors;
using AgentMesh.Cli.Verbs;

namespace AgentMesh.Cli.Sec;

/// <summary>Where a passphrase comes from: the first line of a file, or a person who types it unseen. It never stands on a command line, where every process of the machine could read it.</summary>
internal static class Passphrase
{
    public const int LengthMin = 8;

    private const int FileBytesMax = 4096;

    /// <param name="isNew">It is to be typed twice, and long enough.</param>
    /// <exception cref="MeshException">AM0148: there is none, or it is too short.</exception>
    public static string Get(Session session, string? file, bool isNew)
    {
        string passphrase = file is null ? Ask(session, "passphrase: ") : FromFile(file);
        if (isNew && passphrase.Length < LengthMin)
        {
            throw Unusable($"it has {passphrase.Length} characters; {LengthMin} are the least", "choose a longer one, for example four words");
        }

        if (isNew && file is null && Ask(session, "the same again: ") != passphrase)
        {
            throw Unusable("the two differ", "try again");
        }

        return passphrase.Length > 0 ? passphrase : throw Unusable("it is empty", "type it, or name a file with --passphrase-file");
    }

    private static string FromFile(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[FileBytesMax];
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes, 0, read).Split('\n')[0].TrimEnd('\r');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw Unusable($"{path} cannot be read: {error.Message}", "name a text file whose first line is the passphrase");
        }
    }

    private static string Ask(Session session, string prompt)
    {
        if (Console.IsInputRedirected)
        {
            throw Unusable("there is no terminal to ask at", "name a file with --passphrase-file");
        }

        session.Terminal.Error.Write(prompt);
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }

        session.Terminal.Error.WriteLine();
        return typed.ToString();
    }

    private static MeshException Unusable(string why, string next) => new(CliErrors.NoPassphrase, $"there is no usable passphrase: {why}", next);
}
