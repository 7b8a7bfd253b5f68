using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace AgentMesh.Cli.Client;

/// <summary>
/// One question over the control socket, and its answer. A verb that asks once and ends would wait longer for the first use of HttpClient than for the
/// node; what streams uses that.
/// </summary>
/// <remarks>HTTP/1.0, so that the answer ends with the connection: whoever reads the JSON sees whether it is whole.</remarks>
internal static class PlainHttp
{
    /// <summary>Longer answers are none of this API.</summary>
    private const int AnswerBytesMax = 256 * 1024 * 1024;

    /// <param name="body">JSON; null for none.</param>
    /// <param name="on">The device that is asked by way of the node of this one; null for that node itself.</param>
    /// <exception cref="Errors.MeshException">The way to the device is shut.</exception>
    /// <exception cref="NobodyListensException">There is no node.</exception>
    /// <exception cref="IOException">The connection was lost, or what came is no HTTP.</exception>
    public static Task<(int Status, ReadOnlyMemory<byte> Body)> AskAsync(string socket, string method, string path, byte[]? body, FarDevice? on, CancellationToken cancellationToken) =>
        Task.Run(() => Ask(socket, method, path, body, on, cancellationToken), cancellationToken);

    private static (int Status, ReadOnlyMemory<byte> Body) Ask(string socket, string method, string path, byte[]? body, FarDevice? on, CancellationToken cancellationToken)
    {
        using Socket connection = ControlSocket.Open(socket, on, cancellationToken);
        return ControlSocket.Talk(
            connection,
            () =>
            {
                ControlSocket.SendAll(connection, Encoding.ASCII.GetBytes(
                    string.Create(CultureInfo.InvariantCulture, $"{method} /{path} HTTP/1.0\r\nHost: agentmesh\r\nContent-Type: application/json\r\nContent-Length: {body?.Length ?? 0}\r\n\r\n")));
                ControlSocket.SendAll(connection, body ?? []);
                return Parse(ReceiveAll(connection));
            },
            cancellationToken);
    }

    private static ReadOnlyMemory<byte> ReceiveAll(Socket connection)
    {
        byte[] answer = new byte[16 * 1024];
        int count = 0;
        for (int read; (read = connection.Receive(answer.AsSpan(count))) > 0;)
        {
            count += read;
            if (count > AnswerBytesMax)
            {
                throw new IOException("the answer is too long");
            }

            if (count == answer.Length)
            {
                Array.Resize(ref answer, answer.Length * 2);
            }
        }

        return answer.AsMemory(0, count);
    }

    private static (int Status, ReadOnlyMemory<byte> Body) Parse(ReadOnlyMemory<byte> answer)
    {
        // HTTP/1.1 200 OK
        const int codeAt = 9, codeLength = 3;
        int end = answer.Span.IndexOf("\r\n\r\n"u8);
        return end >= codeAt + codeLength && answer.Span.StartsWith("HTTP/1."u8)
            && int.TryParse(Encoding.ASCII.GetString(answer.Span.Slice(codeAt, codeLength)), NumberStyles.None, CultureInfo.InvariantCulture, out int status)
            ? (status, answer[(end + 4)..])
            : throw new IOException("the answer is cut off, or is no HTTP");
    }
}
