using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Tests.Registry;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Tests.Trust;

public sealed class OwnForkNoticeTests : IDisposable
{
    private static readonly DeviceIdentity Self = DeviceIdentity.Create(new Filled(1));
    private static readonly DeviceIdentity Thiefs = Self.CreateSuccessor(new Filled(2));

    private readonly string _directory = Directory.CreateTempSubdirectory("am-notice-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_is_said_once_when_it_is_heard_and_at_each_start_with_what_to_do()
    {
        byte[][] heard;
        using (DeviceRegistry copy = Open("copy"))
        {
            copy.Succeed(Thiefs);
            heard = [.. copy.EntriesAfter(new Dictionary<DeviceId, ulong>(), int.MaxValue)];
        }

        var log = new Lines();
        using (DeviceRegistry registry = Open("registry"))
        {
            using var notice = new OwnForkNotice(registry, Self.Id, log);
            Assert.Empty(log.All);
            registry.Take(heard);
            registry.Admit(DeviceIdentity.Create(new Filled(3)).PublicKey, "other", []);
            string line = Assert.Single(log.All);
            Assert.StartsWith("Error: AM0176: ", line, StringComparison.Ordinal);
            Assert.Contains(TrustService.Fingerprint(Thiefs.PublicKey)[..19], line, StringComparison.Ordinal);
            Assert.Contains($"agentmesh devices revoke {Self.Id.ToString()[..12]}", line, StringComparison.Ordinal);
            Assert.Contains("agentmesh compromised", line, StringComparison.Ordinal);
        }

        using DeviceRegistry again = Open("registry");
        using var next = new OwnForkNotice(again, Self.Id, log);
        Assert.Equal(2, log.All.Count);
    }

    private DeviceRegistry Open(string name) => DeviceRegistry.Open(Path.Combine(_directory, name), Self, TimeProvider.System);

    private sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Add($"{logLevel}: {formatter(state, exception)}");
    }
}
