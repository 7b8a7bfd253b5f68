using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Node.Webhooks;
using AgentMesh.Node.Settings;
using AgentMesh.Workers.Tests.Input;

namespace AgentMesh.Node.Tests.Webhooks;

/// <summary>Against a real listener on loopback.</summary>
public sealed class WebhookClientTests
{
    private const string Secret = "0123456789abcdef";

    [Fact]
    public async Task A_post_carries_its_id_its_time_its_signature_and_json()
    {
        await using var receiver = TestReceiver.Saying(TestReceiver.Status("204 No Content"));
        DeliveryAnswer answer = await SendAsync(receiver.Port);

        Assert.Equal((DeliveryVerdict.Delivered, 204), (answer.Verdict, answer.Status));
        string request = await receiver.NextAsync();
        Assert.StartsWith("POST /hook?x=1 HTTP/1.1\r\n", request, StringComparison.Ordinal);
        foreach (string header in new[] { "webhook-id: an-id", "Content-Type: application/json", "User-Agent: agentmesh/1.2.3", $"Host: 127.0.0.1:{receiver.Port}" })
        {
            Assert.Contains($"\r\n{header}\r\n", request, StringComparison.Ordinal);
        }

        string body = request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        long at = long.Parse(HeaderOf(request, "webhook-timestamp"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal("{\"a\":1}", body);
        Assert.Equal(WebhookSignature.Of([Encoding.UTF8.GetBytes(Secret)], "an-id", at, Encoding.UTF8.GetBytes(body)), HeaderOf(request, "webhook-signature"));
    }

    [Fact]
    public async Task Without_a_secret_nothing_is_signed()
    {
        await using var receiver = TestReceiver.Saying(TestReceiver.Status("200 OK"));
        await SendAsync(receiver.Port, secrets: []);
        Assert.DoesNotContain("webhook-signature", await receiver.NextAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_error_says_what_the_receiver_said_and_when_to_come_again()
    {
        await using var receiver = new TestReceiver((_, to, cancel) =>
            to.WriteAsync("HTTP/1.1 503 Busy\r\nContent-Length: 21\r\nRetry-After: 77\r\n\r\ndatabase\u001b[31m is away"u8.ToArray(), cancel).AsTask());
        DeliveryAnswer answer = await SendAsync(receiver.Port);
        Assert.Equal((DeliveryVerdict.Again, 503, TimeSpan.FromSeconds(77)), (answer.Verdict, answer.Status, answer.RetryAfter));
        Assert.Equal("the receiver answered with status 503: database [31m is away", answer.Problem!.Text);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var other = TestReceiver.Saying(TestReceiver.Status("200 OK"));
        await using var receiver = TestReceiver.Saying(
            TestReceiver.Status("302 Found", $"Location: http://127.0.0.1:{other.Port}/\r\n"), TestReceiver.Status("308 Permanent Redirect", $"Location: http://127.0.0.1:{other.Port}/\r\n"));
        Assert.Equal(DeliveryVerdict.Again, (await SendAsync(receiver.Port)).Verdict);
        Assert.Equal(DeliveryVerdict.GivenUp, (await SendAsync(receiver.Port)).Verdict);
        Assert.Equal(0, other.Count);
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read_to_its_end()
    {
        long written = 0;
        var hungUp = new TaskCompletionSource();
        await using var receiver = new TestReceiver(async (number, to, cancel) =>
        {
            await to.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {(number == 1 ? 200 : 500)} X\r\nContent-Length: 1000000000000\r\n\r\n"), cancel);
            byte[] piece = new byte[64 * 1024];
            try
            {
                while (true)
                {
                    await to.WriteAsync(piece, cancel);
                    Interlocked.Add(ref written, piece.Length);
                }
            }
            catch (IOException)
            {
                if (number == 2)
                {
                    hungUp.SetResult();
                }

                throw;
            }
        });
        Assert.Equal(DeliveryVerdict.Delivered, (await SendAsync(receiver.Port)).Verdict);
        Assert.Equal(DeliveryVerdict.Again, (await SendAsync(receiver.Port)).Verdict);
        await hungUp.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.InRange(Interlocked.Read(ref written), 0, 64 << 20);
    }

    [Fact]
    public async Task Headers_without_end_are_an_answer_that_failed()
    {
        await using var receiver = new TestReceiver(async (_, to, cancel) =>
        {
            await to.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), cancel);
            while (true)
            {
                await to.WriteAsync("X-More: and more and more and more\r\n"u8.ToArray(), cancel);
            }
        });
        Assert.Equal((DeliveryVerdict.Again, MeshErrors.NotifyFailed), VerdictOf(await SendAsync(receiver.Port)));
    }

    [Theory]
    [InlineData(15, DeliveryVerdict.Delivered)]
    [InlineData(17, DeliveryVerdict.Again)]
    public async Task An_answer_has_16_KiB_of_headers_at_most(int kibibytes, DeliveryVerdict verdict)
    {
        string headers = string.Concat(Enumerable.Repeat($"X-More: {new string('x', 1024 - 10)}\r\n", kibibytes));
        await using TestReceiver receiver = TestReceiver.Saying(TestReceiver.Status("200 OK", headers));
        Assert.Equal(verdict, (await SendAsync(receiver.Port)).Verdict);
    }

    [Fact]
    public async Task Garbage_is_an_answer_that_failed()
    {
        await using var receiver = TestReceiver.Saying("\0\x1f this is no HTTP\r\n\r\n");
        Assert.Equal((DeliveryVerdict.Again, MeshErrors.NotifyFailed), VerdictOf(await SendAsync(receiver.Port)));
    }

    [Fact]
    public async Task Nobody_who_listens_is_an_attempt_that_failed()
    {
        // Bound and not listening: nobody else gets the port meanwhile.
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal((DeliveryVerdict.Again, MeshErrors.NotifyFailed), VerdictOf(await SendAsync(((IPEndPoint)bound.LocalEndPoint!).Port)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nX: ")]
    public async Task A_receiver_that_hangs_is_left_when_the_time_is_over(string begins)
    {
        var time = new ManualTime();
        var taken = new TaskCompletionSource();
        await using var receiver = new TestReceiver(async (_, to, cancel) =>
        {
            await to.WriteAsync(Encoding.ASCII.GetBytes(begins), cancel);
            taken.SetResult();
            await Task.Delay(Timeout.Infinite, cancel);
        });
        Task<DeliveryAnswer> sending = SendAsync(receiver.Port, time: time);
        await taken.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(sending.IsCompleted);
        time.Advance(WebhookClient.Within);

        DeliveryAnswer answer = await sending.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((DeliveryVerdict.Again, MeshErrors.NotifyFailed), VerdictOf(answer));
        Assert.Contains("within 10 s", answer.Problem!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_stops_does_not_take_that_for_an_answer()
    {
        using var stop = new CancellationTokenSource();
        await using var receiver = new TestReceiver((_, _, cancel) => Task.Delay(Timeout.Infinite, cancel));
        Task<DeliveryAnswer> sending = SendAsync(receiver.Port, cancel: stop.Token);
        await receiver.NextAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_an_attempt_that_failed_and_nothing_was_sent()
    {
        using var key = RSA.Create(2048);
        using X509Certificate2 made = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task<int> read = ReadAsync();
        DeliveryAnswer answer = await SendAsync(((IPEndPoint)listener.LocalEndpoint).Port, scheme: "https");

        Assert.Equal((DeliveryVerdict.Again, MeshErrors.NotifyFailed), VerdictOf(answer));
        Assert.Contains("certificate", answer.Problem!.Text, StringComparison.Ordinal);
        Assert.Equal(0, await read.WaitAsync(TimeSpan.FromSeconds(30)));

        async Task<int> ReadAsync()
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            await using var tls = new SslStream(client.GetStream());
            try
            {
                await tls.AuthenticateAsServerAsync(certificate);
                return await tls.ReadAsync(new byte[1]);
            }
            catch (Exception error) when (error is IOException or AuthenticationException)
            {
                return 0;
            }
        }
    }

    // The name is looked up once and means this device: what it says to a second look counts for nothing.
    [Fact]
    public async Task A_name_that_leads_to_this_device_is_refused_before_a_byte_is_sent()
    {
        await using var receiver = TestReceiver.Saying(TestReceiver.Status("200 OK"));
        DeliveryAnswer answer = await SendAsync(receiver.Port, host: "hook.example.org", allow: "*", scheme: "https", resolve: _ => [IPAddress.Loopback]);
        Assert.Equal((DeliveryVerdict.GivenUp, MeshErrors.NotifyNotAllowed), VerdictOf(answer));
        Assert.Contains("hook.example.org (127.0.0.1)", answer.Problem!.Text, StringComparison.Ordinal);
        Assert.Equal(0, receiver.Count);
    }

    [Fact]
    public async Task What_was_checked_is_what_is_connected_to()
    {
        int asked = 0;
        await using var receiver = TestReceiver.Saying(TestReceiver.Status("200 OK"));
        DeliveryAnswer answer = await SendAsync(
            receiver.Port, host: "nas.lan", allow: "nas.lan", resolve: _ => ++asked == 1 ? [IPAddress.Parse("169.254.169.254"), IPAddress.Loopback] : throw new InvalidOperationException("asked twice"));
        Assert.Equal((DeliveryVerdict.Delivered, 1), (answer.Verdict, receiver.Count));
        Assert.Contains($"Host: nas.lan:{receiver.Port}", await receiver.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_unknown_now_may_be_known_later()
    {
        DeliveryAnswer answer = await SendAsync(1, host: "nas.lan", allow: "nas.lan", resolve: _ => throw new SocketException((int)SocketError.HostNotFound));
        Assert.Equal((DeliveryVerdict.Again, MeshErrors.NotifyFailed), VerdictOf(answer));
    }

    private static (DeliveryVerdict Verdict, string? Code) VerdictOf(DeliveryAnswer answer) => (answer.Verdict, answer.Problem?.Code);

    private static string HeaderOf(string request, string name) => request.Split("\r\n").Single(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))[(name.Length + 2)..];

    private static async Task<DeliveryAnswer> SendAsync(
        int port, string host = "127.0.0.1", string allow = "127.0.0.1", string scheme = "http", Func<string, IPAddress[]>? resolve = null, string[]? secrets = null, TimeProvider? time = null, CancellationToken cancel = default)
    {
        var policy = new NotifyPolicy(new CronNotifySettings([allow], PlainHttp: false, ""));
        using var client = new WebhookClient(policy, (name, _) => Task.FromResult(resolve is null ? throw new InvalidOperationException($"{name} was looked up") : resolve(name)), "1.2.3", time ?? TimeProvider.System);
        return await client.SendAsync(new WebhookRequest(new Uri($"{scheme}://{host}:{port}/hook?x=1"), "an-id", "{\"a\":1}"u8.ToArray(), [.. (secrets ?? [Secret]).Select(Encoding.UTF8.GetBytes)]), cancel);
    }
}
