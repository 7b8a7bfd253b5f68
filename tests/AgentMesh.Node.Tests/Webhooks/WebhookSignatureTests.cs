using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Webhooks;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests.Webhooks;

[UnsupportedOSPlatform("windows")]
public sealed class WebhookSignatureTests : IDisposable
{
    private static readonly DeviceId Home = DeviceId.Parse(new string('a', 32));
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 30, 0, TimeSpan.Zero);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-hook-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    // The example of the Standard Webhooks libraries.
    [Fact]
    public void The_published_vector_is_met()
    {
        IReadOnlyList<byte[]> secrets = WebhookSecrets.Read(Write("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"));
        string signature = WebhookSignature.Of(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}"u8);
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", signature);
    }

    [Fact]
    public void While_a_secret_is_replaced_both_sign()
    {
        IReadOnlyList<byte[]> secrets = WebhookSecrets.Read(Write("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n\n  0123456789abcdef  \n"));
        Assert.Equal("0123456789abcdef", Encoding.UTF8.GetString(secrets[1]));
        string[] both = WebhookSignature.Of(secrets, "id", 1, "{}"u8).Split(' ');
        Assert.Equal(2, both.Distinct().Count());
        Assert.All(both, each => Assert.StartsWith("v1,", each, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "0 secrets")]
    [InlineData("too short", "shorter")]
    [InlineData("whsec_c2hvcnQ=", "shorter")]
    [InlineData("whsec_***not-base64***", "base64")]
    [InlineData("0123456789abcdef\n0123456789abcdef\n0123456789abcdef\n0123456789abcdef\n0123456789abcdef", "5 secrets")]
    public void What_is_no_secret_is_refused_without_being_shown(string text, string says)
    {
        MeshException wrong = Assert.Throws<MeshException>(() => WebhookSecrets.Read(Write(text)));
        Assert.Equal(MeshErrors.NotifySecret, wrong.Code);
        Assert.Contains(says, wrong.Message, StringComparison.Ordinal);
        Assert.All(text.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.DoesNotContain(line, wrong.Message + wrong.NextStep, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_others_may_read_is_refused()
    {
        string path = Write("0123456789abcdef");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        MeshException wrong = Assert.Throws<MeshException>(() => WebhookSecrets.Read(path));
        Assert.Equal((MeshErrors.NotifySecret, $"chmod 600 {path}"), (wrong.Code, wrong.NextStep));
        Assert.Equal(MeshErrors.NotifySecret, Assert.Throws<MeshException>(() => WebhookSecrets.Read(path + ".none")).Code);
        Assert.Empty(WebhookSecrets.Read(""));
    }

    [Fact]
    public void The_body_tells_the_run()
    {
        var id = new CronId(Home, "nightly");
        var job = JobId.FromIdempotencyKey(Home, "one");
        var run = new CronRun(job, Start, CronCause.Schedule, Start, JobStateName.Failed, Start.AddSeconds(9)) { Target = new JobTarget(Home, "@gpu", "gpu") };
        var report = new EndReport(2, Home, "here", 3, Start.AddSeconds(1), Start.AddSeconds(8), new Problem("AM0323", "it ended with exit code 3"), 70_000, 5, null);
        var parcel = new Parcel("abc", "https://example.org/", job, JobStateName.Failed, report, 4) { Scheduled = new ScheduledRun(id, run) };
        byte[] body = WebhookBody.Of(parcel, new OutputEnds("last \"line\"\n", "oh\u0000no"));

        JsonElement root = JsonDocument.Parse(body).RootElement, data = root.GetProperty("data");
        Assert.Equal(("cron.run.failed", Start.AddSeconds(8)), (root.GetProperty("type").GetString(), root.GetProperty("timestamp").GetDateTimeOffset()));
        Assert.Equal(("abc", "nightly", job.ToString(), "failed"), (Text("delivery"), Text("schedule"), Text("job"), Text("state")));
        Assert.Equal((3, 2, 7_000, 70_000), (data.GetProperty("exitCode").GetInt32(), data.GetProperty("attempt").GetInt32(), data.GetProperty("durationMs").GetInt32(), data.GetProperty("stdoutBytes").GetInt32()));
        Assert.Equal((Home.ToString(), "gpu", "last \"line\"\n", "oh\u0000no"), (Text("device"), Text("deviceName"), Text("stdout"), Text("stderr")));
        Assert.Equal("AM0323", data.GetProperty("problem").GetProperty("code").GetString());

        // Of the delivery, not of the attempt: each attempt sends the same bytes.
        Assert.Equal(body, WebhookBody.Of(parcel with { Attempt = 5 }, new OutputEnds("last \"line\"\n", "oh\u0000no")));

        string? Text(string name) => data.GetProperty(name).GetString();
    }

    private string Write(string text)
    {
        string path = Path.Combine(_directory, "secret");
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
