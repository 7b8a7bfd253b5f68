using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Verbs;

/// <summary>A file that a verb takes, or standard input.</summary>
internal static class TextFile
{
    /// <param name="name">A path, or <c>-</c> for standard input.</param>
    /// <param name="code">Of the error when it cannot be read or is no UTF-8.</param>
    /// <param name="expected">What people do then.</param>
    /// <param name="tooLarge">The error for more than <paramref name="bytesMax"/>.</param>
    public static async Task<string> ReadAsync(string name, int bytesMax, string code, string expected, (string Code, string Next) tooLarge, CancellationToken cancel)
    {
        try
        {
            Stream stream = name == "-" ? Console.OpenStandardInput() : File.OpenRead(name);
            await using (stream.ConfigureAwait(false))
            {
                byte[] bytes = new byte[bytesMax + 1];
                int read = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
                return read > bytesMax
                    ? throw new MeshException(tooLarge.Code, $"{name} is larger than {bytesMax} bytes", tooLarge.Next)
                    : new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, read);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(code, $"{name} cannot be read: {error.Message}", expected, error);
        }
        catch (DecoderFallbackException error)
        {
            throw new MeshException(code, $"{name} is not text in UTF-8, from byte {error.Index} on", "save it as UTF-8", error);
        }
    }
}
