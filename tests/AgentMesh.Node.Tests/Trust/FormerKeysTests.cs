using System.Text;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Tests.Registry;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Remoting.Tests.Doubles;
using AgentMesh.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentMesh.Node.Tests.Trust;

/// <summary>Here knows A, which has another key by now, and B.</summary>
public sealed class FormerKeysTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly DeviceIdentity Here = Identity(1), A = Identity(2), B = Identity(3), Stranger = Identity(4);
    private static readonly DeviceIdentity Next = A.CreateSuccessor(new Filled(12));

    private readonly string _directory = Directory.CreateTempSubdirectory("am-former-").FullName;
    private readonly StandingClock _clock = new();
    private readonly DeviceRegistry _registry, _ofA;
    private readonly FormerKeys _keys;
    private bool _takesConnections = true;

    public FormerKeysTests()
    {
        _registry = DeviceRegistry.Open(Path.Combine(_directory, "here"), Here, TimeProvider.System);
        _ofA = DeviceRegistry.Open(Path.Combine(_directory, "a"), A, TimeProvider.System);
        _registry.Admit(A.PublicKey, "a", []);
        _registry.Admit(B.PublicKey, "b", []);
        _ofA.Admit(Here.PublicKey, "here", []);
        _keys = new FormerKeys(new Admitted(_registry), () => _takesConnections, _registry, _clock, NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _keys.DisposeAsync();
        _registry.Dispose();
        _ofA.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_key_that_counts_and_a_stranger_are_as_before()
    {
        Succeed();
        Assert.True(_keys.IsAdmitted(Next.PublicKey));
        Assert.Equal(A.Id, _keys.ListedAs(Next.PublicKey.Id));
        Assert.False(_keys.IsAdmitted(Stranger.PublicKey));
        Assert.False(_keys.TryTake(From(Next).There));
        Assert.False(_keys.TryTake(From(B).There));
        Assert.False(_keys.TryTake(From(Stranger).There));
    }

    [Fact]
    public void A_former_key_gets_in_under_an_id_that_no_device_has()
    {
        Assert.Equal(A.Id, _keys.ListedAs(A.Id));
        Assert.Empty(FormerKeys.ToMeet(_registry));
        Succeed();
        Assert.Equal([A.Id], FormerKeys.ToMeet(_registry));
        Assert.True(_keys.IsAdmitted(A.PublicKey));
        Assert.NotEqual(A.Id, _keys.ListedAs(A.Id));
        Assert.Equal(A.Id, _keys.DeviceOf(A.Id));
        _takesConnections = false;
        Assert.False(_keys.IsAdmitted(A.PublicKey));
    }

    [Fact]
    public async Task Whoever_comes_with_it_is_told_with_proof_and_let_go_when_he_knows()
    {
        Succeed();
        using DeviceRegistry copy = DeviceRegistry.Open(Path.Combine(_directory, "copy"), A, TimeProvider.System);
        (MemoryConnection comes, MemoryConnection there) = From(A);
        Assert.True(_keys.TryTake(there));

        IMeshStream stream = await LinkOf(comes);
        Frame said = (await LinkFrames.ReadAsync(stream, default).AsTask().WaitAsync(Patience))!;
        copy.Take(said.RegistryEntries.Entries.Select(entry => entry.ToByteArray()));
        Assert.Equal(Next.PublicKey, copy.OwnFork!.Key);
        Assert.False(comes.Closed.IsCompleted);
        var heads = new RegistryHeads();
        heads.Heads.Add(copy.Heads().Select(head => new Head { Author = head.Key.ToString(), Count = head.Value }));
        await LinkFrames.WriteAsync(stream, new Frame { Hello = new Hello() }, default);
        await LinkFrames.WriteAsync(stream, new Frame { RegistryHeads = heads }, default);
        ConnectionEnd end = await comes.Closed.WaitAsync(Patience);
        Assert.True(end.ByRemote);

        // Another one may have the same key.
        Assert.False(_keys.IsAdmitted(A.PublicKey));
        _clock.Advance(FormerKeys.AgainMin);
        Assert.True(_keys.IsAdmitted(A.PublicKey));
    }

    [Fact]
    public async Task Who_comes_again_and_again_is_let_in_after_ever_longer_waits()
    {
        Succeed();
        TimeSpan wait = FormerKeys.AgainMin;
        for (int time = 0; time < 10; time++, wait = wait * 2 < FormerKeys.AgainMax ? wait * 2 : FormerKeys.AgainMax)
        {
            Assert.True(_keys.IsAdmitted(A.PublicKey), $"time {time}");
            (MemoryConnection comes, MemoryConnection there) = From(A);
            Assert.True(_keys.TryTake(there));
            (await LinkOf(comes)).Abort(0);
            await comes.Closed.WaitAsync(Patience);
            _clock.Advance(wait - TimeSpan.FromSeconds(1));
            Assert.False(_keys.IsAdmitted(A.PublicKey), $"time {time}");
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        // And after a day as if for the first time.
        _clock.Advance(FormerKeys.ForgottenAfter);
        (MemoryConnection late, MemoryConnection thereLate) = From(A);
        Assert.True(_keys.TryTake(thereLate));
        (await LinkOf(late)).Abort(0);
        await late.Closed.WaitAsync(Patience);
        _clock.Advance(FormerKeys.AgainMin);
        Assert.True(_keys.IsAdmitted(A.PublicKey));
    }

    [Fact]
    public async Task One_that_comes_when_it_may_not_is_closed_without_a_word()
    {
        Succeed();
        (MemoryConnection first, MemoryConnection firstThere) = From(A);
        (MemoryConnection second, MemoryConnection secondThere) = From(A);
        Assert.True(_keys.TryTake(firstThere));
        Assert.True(_keys.TryTake(secondThere));
        await second.Closed.WaitAsync(Patience);
        Assert.Null(await second.AcceptStreamAsync(default));
        (await LinkOf(first)).Abort(0);
        await first.Closed.WaitAsync(Patience);
    }

    private void Succeed()
    {
        _ofA.Succeed(Next);
        _registry.Take(_ofA.EntriesAfter(new Dictionary<DeviceId, ulong>(), int.MaxValue));
        Assert.Equal(Next.PublicKey, _registry.Devices[A.Id].Key);
    }

    /// <summary>The stream that the other side has opened, behind its header.</summary>
    private static async Task<IMeshStream> LinkOf(MemoryConnection comes)
    {
        IMeshStream stream = (await comes.AcceptStreamAsync(default).AsTask().WaitAsync(Patience))!;
        byte[] header = [(byte)LinkService.Service.Length, .. Encoding.ASCII.GetBytes(LinkService.Service)];
        byte[] read = new byte[header.Length];
        for (int got = 0; got < read.Length;)
        {
            got += await stream.ReadAsync(read.AsMemory(got), default).AsTask().WaitAsync(Patience);
        }

        Assert.Equal(header, read);
        return stream;
    }

    private static (MemoryConnection Comes, MemoryConnection There) From(DeviceIdentity key) => MemoryConnection.Pair(key.PublicKey, Here.PublicKey);

    private static DeviceIdentity Identity(byte fill) => DeviceIdentity.Create(new Filled(fill));

    private sealed class Admitted(DeviceRegistry registry) : IAdmission
    {
        public bool IsAdmitted(DevicePublicKey key) => registry.IsAdmitted(key);

        public DeviceId DeviceOf(DeviceId keyId) => registry.DeviceOf(keyId);

        public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => new(InvitationStatus.Unknown, default);

        public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => false;
    }
}
