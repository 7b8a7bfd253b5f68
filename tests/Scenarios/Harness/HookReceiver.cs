using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;

namespace Scenarios.Harness;

/// <summary>A POST that was read and is answered as the test says, or never.</summary>
public sealed class Hook(HttpListenerContext context, string body)
{
    public string Body => body;

    public string? Id => context.Request.Headers["webhook-id"];

    public string? Timestamp => context.Request.Headers["webhook-timestamp"];

    public string? Signature => context.Request.Headers["webhook-signature"];

    /// <summary>What Standard Webhooks 1.0 has as the signature, by a second hand.</summary>
    public string SignatureBy(string secret) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{Id}.{Timestamp}.{Body}")));

    public void Answer(int status)
    {
        context.Response.StatusCode = status;
        context.Response.Close();
    }
}

/// <summary>Somebody who is told of runs.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class HookReceiver : IAsyncDisposable
{
    public const string Secret = "a secret that is long enough";
    public const string SecretFile = "hook-secret";

    private readonly HttpListener _listener;
    private readonly Channel<Hook> _hooks = Channel.CreateUnbounded<Hook>();
    private readonly Task _serving;

    public HookReceiver()
    {
        // The listener names no port of its own; one that was free a moment ago is, unless somebody was quicker.
        while (true)
        {
            Port = FreePort();
            _listener = new HttpListener { Prefixes = { Url } };
            try
            {
                _listener.Start();
                break;
            }
            catch (HttpListenerException)
            {
                _listener.Close();
            }
        }

        _serving = ServeAsync();
    }

    public int Port { get; }

    public string Url => $"http://127.0.0.1:{Port}/";

    /// <summary>Lets a node that is not up yet send here, signed with <see cref="Secret"/>.</summary>
    public async Task LetSendAsync(TestNode node)
    {
        string secretFile = Path.Combine(node.Data, SecretFile);
        await File.WriteAllTextAsync(secretFile, Secret + "\n");
        File.SetUnixFileMode(secretFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh.cron.notify {{ allow = [\"127.0.0.1:{Port}\"], secret-file = \"{secretFile}\" }}");
    }

    public async Task<Hook> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        return await _hooks.Reader.ReadAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
                _hooks.Writer.TryWrite(new Hook(context, await reader.ReadToEndAsync()));
            }
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // Closed.
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
