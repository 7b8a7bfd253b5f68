using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace AgentMesh.Node.Tests.Webhooks;

/// <summary>An HTTP server on loopback that says, byte for byte, what a test wants, and keeps what it was sent.</summary>
internal sealed class TestReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<string> _requests = Channel.CreateUnbounded<string>();
    private readonly Func<int, Stream, CancellationToken, Task> _answer;
    private readonly Task _serving;
    private int _count;

    /// <param name="answer">Of the request with this number, from 1, when it was read.</param>
    public TestReceiver(Func<int, Stream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Count => Volatile.Read(ref _count);

    public static TestReceiver Saying(params string[] answers) => new((number, to, cancel) => to.WriteAsync(Encoding.ASCII.GetBytes(answers[Math.Min(number, answers.Length) - 1]), cancel).AsTask());

    public static string Status(string line, string headers = "") => $"HTTP/1.1 {line}\r\nContent-Length: 0\r\n{headers}\r\n";

    public async Task<string> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return await _requests.Reader.ReadAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _serving;
        _listener.Stop();
        _stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                open.Add(TakeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task TakeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                var text = new StringBuilder();
                byte[] bytes = new byte[4096];
                while (!IsWhole(text.ToString()))
                {
                    int read = await stream.ReadAsync(bytes, _stopping.Token);
                    if (read == 0)
                    {
                        return;
                    }

                    text.Append(Encoding.UTF8.GetString(bytes, 0, read));
                }

                _requests.Writer.TryWrite(text.ToString());
                await _answer(Interlocked.Increment(ref _count), stream, _stopping.Token);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException)
            {
                // The sender has hung up, or the test is over.
            }
        }
    }

    private static bool IsWhole(string text)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        int at = text.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
        return end > 0 && at > 0 && Encoding.UTF8.GetByteCount(text[(end + 4)..]) >= int.Parse(text[(at + 16)..text.IndexOf("\r\n", at, StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture);
    }
}
