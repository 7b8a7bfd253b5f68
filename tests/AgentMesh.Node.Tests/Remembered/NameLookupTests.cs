using System.Net;
using System.Net.Sockets;
using AgentMesh.Transport.Names;
using AgentMesh.Workers.Tests.Input;

namespace AgentMesh.Node.Tests.Remembered;

public sealed class NameLookupTests
{
    private static readonly IPAddress Old = IPAddress.Parse("203.0.113.10"), New = IPAddress.Parse("203.0.113.99");

    private readonly ManualTime _time = new();
    private readonly Memory _memory = new();

    [Fact]
    public async Task A_name_that_is_not_resolved_is_where_it_answered_last()
    {
        _memory.Addresses = [Old];

        NameAnswer answer = await Lookup(_ => throw new SocketException((int)SocketError.TryAgain)).FindAsync("beacon.test", CancellationToken.None);

        Assert.Equal([Old], answer.Best);
        Assert.Equal([Old], answer.All);
        Assert.Equal([("beacon.test", false)], _memory.Asks);
    }

    [Fact]
    public async Task A_resolver_that_is_silent_is_waited_for_half_a_second_and_no_longer()
    {
        _memory.Addresses = [Old];
        var never = new TaskCompletionSource<IPAddress[]>();
        Task<NameAnswer> finding = Lookup(_ => never.Task).FindAsync("beacon.test", CancellationToken.None);

        _time.Advance(NameLookup.Patience - TimeSpan.FromMilliseconds(1));
        await Task.Yield();
        Assert.False(finding.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal([Old], (await finding).Best);
        never.SetException(new SocketException((int)SocketError.TimedOut)); // seen by nobody, and harmless
    }

    [Fact]
    public async Task A_resolver_that_lies_keeps_nobody_from_where_the_host_answered()
    {
        _memory.Addresses = [Old, New];

        NameAnswer answer = await Lookup(_ => Task.FromResult<IPAddress[]>([New])).FindAsync("beacon.test", CancellationToken.None);

        Assert.Equal([New, Old], answer.All);
        Assert.Equal([New], answer.Best); // of those who cannot tell
        Assert.Equal([("beacon.test", true)], _memory.Asks);
    }

    [Fact]
    public async Task Where_nothing_is_remembered_the_resolver_has_all_the_time_and_its_error_is_told()
    {
        var slow = new TaskCompletionSource<IPAddress[]>();
        Task<NameAnswer> finding = Lookup(_ => slow.Task).FindAsync("beacon.test", CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(finding.IsCompleted);
        slow.SetResult([New]);
        Assert.Equal([New], (await finding).All);

        await Assert.ThrowsAsync<SocketException>(() => Lookup(_ => throw new SocketException((int)SocketError.HostNotFound)).FindAsync("beacon.test", CancellationToken.None));
    }

    [Fact]
    public async Task An_address_is_its_own_answer_and_nothing_to_remember()
    {
        NameLookup lookup = Lookup(_ => throw new InvalidOperationException("nobody is asked"));

        Assert.Equal([Old], (await lookup.FindAsync(Old.ToString(), CancellationToken.None)).All);
        lookup.Answered(Old.ToString(), Old);
        lookup.Answered("beacon.test", Old);

        Assert.Equal([("beacon.test", Old)], _memory.Answers);
    }

    [Fact]
    public async Task One_address_is_IPv4_before_IPv6_and_of_a_family_that_is_usable()
    {
        IPAddress six = IPAddress.Parse("2001:db8::1");
        NameLookup lookup = Lookup(_ => Task.FromResult<IPAddress[]>([six, New]));

        Assert.Equal(new IPEndPoint(New, 3478), (await lookup.FindOneAsync("stun.test", 3478, _ => true, CancellationToken.None)).Address);
        Assert.Equal(new IPEndPoint(six, 3478), (await lookup.FindOneAsync("stun.test", 3478, address => address.AddressFamily == AddressFamily.InterNetworkV6, CancellationToken.None)).Address);
        Assert.Contains("family", (await lookup.FindOneAsync("stun.test", 3478, _ => false, CancellationToken.None)).Problem, StringComparison.Ordinal);
    }

    private NameLookup Lookup(Func<string, Task<IPAddress[]>> resolve) => new(_memory, async (host, _) => await resolve(host), _time);

    private sealed class Memory : INameMemory
    {
        public IReadOnlyList<IPAddress> Addresses { get; set; } = [];

        public List<(string Host, IPAddress Address)> Answers { get; } = [];

        public List<(string Host, bool IsResolved)> Asks { get; } = [];

        public IReadOnlyList<IPAddress> Of(string host) => Addresses;

        public void Answered(string host, IPAddress address) => Answers.Add((host, address));

        public void Asked(string host, bool isResolved) => Asks.Add((host, isResolved));
    }
}
