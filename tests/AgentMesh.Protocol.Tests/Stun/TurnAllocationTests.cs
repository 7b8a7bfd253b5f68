using System.Net;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Stun.Turn;
using AgentMesh.Protocol.Tests.Gateways;

namespace AgentMesh.Protocol.Tests.Stun;

public sealed class TurnAllocationTests
{
    private static readonly IPEndPoint Peer = IPEndPoint.Parse("203.0.113.9:4000");

    [Fact]
    public void Holds_an_address_after_the_challenge_of_the_server()
    {
        var server = new TurnTestServer();
        server.Hold();

        Assert.Equal([StunType.AllocateRequest, StunType.AllocateRequest], server.Asked);
        Assert.Equal(IPEndPoint.Parse("203.0.113.7:1234"), server.Allocation.Mapped);
        Assert.Equal(TimeSpan.FromMinutes(10), server.Allocation.EndsAt);
    }

    [Theory]
    [InlineData(0x80, "00010000", StunPasswordAlgorithm.Md5)]
    [InlineData(0x80, "0001000000020000", StunPasswordAlgorithm.Sha256)]
    [InlineData(0x80, "0009000401020304" + "00020000", StunPasswordAlgorithm.Sha256)]
    public void Proves_itself_with_the_best_algorithm_that_the_server_names(byte features, string algorithms, StunPasswordAlgorithm chosen)
    {
        var server = new TurnTestServer(null, features, Convert.FromHexString(algorithms)) { Key = StunKey.LongTerm(new StunCredentials("user", "secret"), "lab", chosen) };
        server.Hold();

        Assert.True(StunMessage.TryRead(server.Last, out StunMessage message));
        Assert.True(message.TryGet(StunAttribute.PasswordAlgorithm, out ReadOnlySpan<byte> named));
        Assert.Equal([0, (byte)chosen, 0, 0], named.ToArray());
        Assert.True(message.TryGet(StunAttribute.PasswordAlgorithms, out ReadOnlySpan<byte> offered));
        Assert.Equal(algorithms, Convert.ToHexStringLower(offered));
        Assert.False(message.TryGet(StunAttribute.MessageIntegrity, out _));
    }

    [Fact]
    public void A_nonce_that_promises_algorithms_which_were_taken_out_is_refused()
    {
        var server = new TurnTestServer(null, 0x80);
        server.Ask();
        server.Challenge(401);

        Assert.Equal(TurnFailureKind.Refused, server.Allocation.Failure?.Kind);
    }

    [Fact]
    public void A_server_that_hides_users_is_told_a_hash()
    {
        var server = new TurnTestServer(null, 0x40);
        server.Hold();

        Assert.True(StunMessage.TryRead(server.Last, out StunMessage message));
        Assert.False(message.TryGet(StunAttribute.Username, out _));
        Assert.True(message.TryGet(StunAttribute.UserHash, out ReadOnlySpan<byte> hash));
        Assert.Equal(System.Security.Cryptography.SHA256.HashData("user:lab"u8), hash.ToArray());
    }

    [Fact]
    public void A_second_challenge_to_the_same_proof_means_a_wrong_password()
    {
        var server = new TurnTestServer();
        server.Ask();
        server.Challenge(401);
        server.Ask();
        server.Challenge(401);

        Assert.Equal(TurnFailureKind.Credentials, server.Allocation.Failure?.Kind);
        Assert.Null(server.Allocation.NextWakeUp(server.Now));
    }

    [Fact]
    public void A_stale_nonce_is_replaced_and_the_request_repeated()
    {
        var server = new TurnTestServer();
        server.Hold();
        server.Now = TimeSpan.FromSeconds(25);
        server.Ask();
        server.Nonce = "n2";
        server.Challenge(438);
        Assert.True(server.Ask());
        server.Succeed();

        Assert.Equal([StunType.RefreshRequest, StunType.RefreshRequest], server.Asked[^2..]);
        Assert.Equal(server.Now + TimeSpan.FromMinutes(10), server.Allocation.EndsAt);
    }

    [Fact]
    public void A_server_that_takes_none_of_its_nonces_is_left()
    {
        var server = new TurnTestServer();
        server.Ask();
        server.Challenge(401);
        for (int i = 0; server.Allocation.Failure is null; i++)
        {
            Assert.True(i < 10 && server.Ask());
            server.Nonce = $"x{i}";
            server.Challenge(438);
        }

        Assert.Equal(TurnFailureKind.Refused, server.Allocation.Failure.Kind);
    }

    [Fact]
    public void Answers_without_the_proof_of_the_password_do_not_count()
    {
        var server = new TurnTestServer();
        server.Ask();
        server.Challenge(401);
        server.Ask();
        server.Answer(0x0100, isProven: false, writer =>
        {
            writer.AddXor(StunAttribute.XorRelayedAddress, TurnTestServer.Relayed);
            return writer;
        });
        Assert.Null(server.Allocation.Relayed);

        StunKey right = server.Key;
        server.Key = StunKey.LongTerm(new StunCredentials("user", "other"), "lab", null);
        server.Succeed();
        Assert.Null(server.Allocation.Relayed);

        server.Key = right;
        server.Succeed();
        Assert.NotNull(server.Allocation.Relayed);
    }

    [Fact]
    public void Asks_five_times_and_gives_up()
    {
        var server = new TurnTestServer();
        var sent = new List<double>();
        while (server.Allocation.NextWakeUp(server.Now) is { } at)
        {
            server.Now = at;
            if (server.Ask())
            {
                sent.Add(at.TotalSeconds);
            }
        }

        Assert.Equal([0, 0.5, 1.5, 3.5, 7.5], sent);
        Assert.Equal(11.5, server.Now.TotalSeconds);
        Assert.Equal(new TurnFailure(TurnFailureKind.Silent, "no answer"), server.Allocation.Failure);
    }

    [Fact]
    public void An_old_allocation_of_the_same_socket_is_ended_and_another_asked_for()
    {
        var server = new TurnTestServer();
        server.Ask();
        server.Challenge(401);
        server.Ask();
        server.Refuse(437);
        server.Ask();
        Assert.True(StunMessage.TryRead(server.Last, out StunMessage ending) && ending.TryGet(StunAttribute.Lifetime, out uint lifetime) && lifetime == 0);
        server.Answer(0x0100, isProven: true, writer => writer);
        server.Ask();
        server.Succeed();

        Assert.Equal([StunType.AllocateRequest, StunType.AllocateRequest, StunType.RefreshRequest, StunType.AllocateRequest], server.Asked);
        Assert.Equal(TurnTestServer.Relayed, server.Allocation.Relayed);
    }

    [Theory]
    [InlineData(28, 21)]
    [InlineData(43, 25)]
    [InlineData(1, 1)]
    public void Where_a_NAT_takes_ports_back_sooner_it_is_refreshed_sooner(double silence, double every)
    {
        var server = new TurnTestServer();
        server.Allocation.Heed(TimeSpan.FromSeconds(silence));
        server.Hold();
        Assert.Equal(every, server.Allocation.NextWakeUp(server.Now)!.Value.TotalSeconds);
    }

    [Fact]
    public void A_server_that_was_started_anew_is_noticed_by_the_refresh()
    {
        var server = new TurnTestServer();
        server.Hold();
        server.Now = server.Allocation.NextWakeUp(server.Now)!.Value;
        Assert.Equal(25, server.Now.TotalSeconds);
        server.Ask();
        server.Refuse(437, "Allocation Mismatch");

        Assert.Equal(TurnFailureKind.Silent, server.Allocation.Failure?.Kind);
        Assert.Null(server.Allocation.Relayed);
    }

    [Fact]
    public void A_server_that_redirects_is_followed_twice()
    {
        var server = new TurnTestServer();
        IPEndPoint other = IPEndPoint.Parse("198.51.100.2:3479");
        for (int i = 0; i < 2; i++)
        {
            server.Ask();
            server.Refuse(300, other: other);
            Assert.Equal(other, server.Allocation.Server);
            other = IPEndPoint.Parse($"198.51.100.{3 + i}:3478");
        }

        server.Ask();
        server.Refuse(300, "Try Alternate\u001b", other);
        Assert.Equal(new TurnFailure(TurnFailureKind.Refused, "it answered with error 300 Try Alternate"), server.Allocation.Failure);
    }

    [Fact]
    public void Nothing_goes_to_a_peer_before_the_server_lets_it_through()
    {
        TurnTestServer server = Held();

        Assert.Empty(server.Wrap(Peer, [1, 2, 3]));
        Assert.True(server.Ask());
        Assert.Equal(StunType.CreatePermissionRequest, server.Asked[^1]);
        server.Succeed();

        byte[] sent = server.Wrap(Peer, [1, 2, 3]);
        Assert.True(StunMessage.TryRead(sent, out StunMessage message));
        Assert.Equal(StunType.SendIndication, message.Type);
        Assert.True(message.TryGetXor(StunAttribute.XorPeerAddress, out IPEndPoint? peer));
        Assert.Equal(Peer, peer);
        Assert.True(message.TryGet(StunAttribute.Data, out ReadOnlySpan<byte> data));
        Assert.Equal([1, 2, 3], data.ToArray());
    }

    [Fact]
    public void What_peers_send_is_taken_out_of_indications()
    {
        TurnTestServer server = Held();

        (IPEndPoint? peer, byte[] data) = server.Give(TurnTestServer.Indication(Peer, [9, 8, 7, 6, 5]));

        Assert.Equal(Peer, peer);
        Assert.Equal([9, 8, 7, 6, 5], data);
    }

    [Fact]
    public void A_peer_that_much_is_said_to_gets_a_channel_and_it_is_renewed()
    {
        TurnTestServer server = Held();
        server.Allocation.Permit([Peer.Address], server.Now);
        server.Ask();
        server.Succeed();
        for (int i = 0; i < TurnChannels.WorthIt; i++)
        {
            Assert.NotEmpty(server.Wrap(Peer, [1]));
        }

        Assert.True(server.Ask());
        Assert.Equal(StunType.ChannelBindRequest, server.Asked[^1]);
        server.Succeed();

        Assert.Equal([0x40, 0, 0, 3, 1, 2, 3], server.Wrap(Peer, [1, 2, 3]));
        (IPEndPoint? peer, byte[] data) = server.Give([0x40, 0, 0, 2, 5, 6, 0xff]);
        Assert.Equal((Peer.ToString(), "0506"), (peer?.ToString(), Convert.ToHexStringLower(data)));
        Assert.Null(server.Give([0x40, 1, 0, 2, 5, 6]).Peer);

        var asked = new HashSet<StunType>();
        for (; server.Now < TimeSpan.FromMinutes(9); server.Now += TimeSpan.FromSeconds(1))
        {
            server.Wrap(Peer, [1]);
            while (server.Ask())
            {
                asked.Add(server.Asked[^1]);
                server.Succeed();
            }
        }

        Assert.Equal(1, server.Allocation.ChannelsBound);
        Assert.Equal(0x40, server.Wrap(Peer, [1])[0]);
        Assert.Equal([StunType.RefreshRequest, StunType.CreatePermissionRequest, StunType.ChannelBindRequest], asked.OrderBy(type => type is StunType.RefreshRequest ? 0 : type is StunType.CreatePermissionRequest ? 1 : 2));
    }

    [Fact]
    public void Of_addresses_that_are_refused_together_each_is_asked_for_by_itself()
    {
        TurnTestServer server = Held();
        IPAddress good = IPAddress.Parse("203.0.113.1"), bad = IPAddress.Parse("10.0.0.1");
        server.Allocation.Permit([good, bad], server.Now);
        for (int i = 0; server.Ask(); i++)
        {
            Assert.True(i < 5);
            Assert.True(StunMessage.TryRead(server.Last, out StunMessage message) && message.TryGetXor(StunAttribute.XorPeerAddress, out IPEndPoint? _));
            if (i == 0 || (message.TryGetXor(StunAttribute.XorPeerAddress, out IPEndPoint? first) && first.Address.Equals(bad)))
            {
                server.Refuse(403);
            }
            else
            {
                server.Succeed();
            }
        }

        Assert.Equal(1, server.Allocation.PermissionsGranted);
        Assert.NotEmpty(server.Wrap(new IPEndPoint(good, 1), [1]));
        Assert.Empty(server.Wrap(new IPEndPoint(bad, 1), [1]));
    }

    [Fact]
    public void No_more_addresses_are_let_through_than_the_bound()
    {
        var server = new TurnTestServer(new TurnSettings { PermissionsMax = 20, ChannelsMax = 3 });
        server.Hold();
        server.Allocation.Permit(Enumerable.Range(0, 50).Select(i => IPAddress.Parse($"203.0.113.{i}")), server.Now);
        while (server.Ask())
        {
            server.Succeed();
        }

        Assert.Equal(20, server.Allocation.PermissionsGranted);
        Assert.Empty(server.Wrap(IPEndPoint.Parse("203.0.114.1:1"), [1]));
        for (int i = 0; i < 20 * TurnChannels.WorthIt; i++)
        {
            Assert.NotEmpty(server.Wrap(IPEndPoint.Parse($"203.0.113.{i % 20}:9"), [1]));
        }

        while (server.Ask())
        {
            server.Succeed();
        }

        Assert.Equal(3, server.Allocation.ChannelsBound);
    }

    [Fact]
    public void Given_back_it_is_ended_at_the_server()
    {
        TurnTestServer server = Held();
        server.Allocation.Release(server.Now);

        Assert.True(server.Ask());
        Assert.True(StunMessage.TryRead(server.Last, out StunMessage message) && message.TryGet(StunAttribute.Lifetime, out uint lifetime) && lifetime == 0 && message.Type == StunType.RefreshRequest);
        Assert.True(server.Allocation.IsOver);
        Assert.False(server.Ask());
    }

    [Fact]
    public void Bytes_of_any_kind_never_throw_and_prove_nothing()
    {
        TurnTestServer server = Held();
        server.Allocation.Permit([Peer.Address], server.Now);
        server.Ask();
        byte[] asked = server.Last;
        byte[] indication = TurnTestServer.Indication(Peer, [1, 2, 3, 4]);
        foreach (byte[] damaged in Damage.Of(indication).Concat(Damage.Of(asked)))
        {
            server.Give(damaged);
        }

        var random = new Random(8656);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(0, 120)];
            random.NextBytes(bytes);
            if (bytes.Length >= StunMessage.HeaderBytes && random.Next(4) > 0)
            {
                asked.AsSpan(4, 16).CopyTo(bytes.AsSpan(4));
                (bytes[0], bytes[1]) = (1, (byte)new[] { 0x03, 0x08, 0x13, 0x18, 0x04, 0x14 }[random.Next(6)]);
                (bytes[2], bytes[3]) = (0, (byte)((bytes.Length - StunMessage.HeaderBytes) & ~3));
                bytes = bytes[..(StunMessage.HeaderBytes + bytes[3])];
            }

            server.Give(bytes);
        }

        Assert.Equal(0, server.Allocation.PermissionsGranted);
    }

    private static TurnTestServer Held()
    {
        var server = new TurnTestServer();
        server.Hold();
        return server;
    }
}
