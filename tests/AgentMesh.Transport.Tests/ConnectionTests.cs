using System.Net;
using AgentMesh.Errors;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Transport.Tests;

/// <summary>Real sockets on loopback.</summary>
public sealed class ConnectionTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Bytes_come_back_on_the_same_stream()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        IMeshStream ours = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        await ours.WriteAsync("hello"u8.ToArray(), Never);
        await ours.CompleteWritesAsync();

        IMeshStream theirs = (await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience))!;
        byte[] read = await theirs.ReadToEndAsync();
        await theirs.WriteAsync(read, Never);
        await theirs.CompleteWritesAsync();

        Assert.Equal("hello"u8.ToArray(), await ours.ReadToEndAsync());
        Assert.Equal((pair.B.Endpoint.LocalId, true), (a.RemoteId, a.IsInitiator));
        Assert.NotNull(a.Path.RoundTrip);
    }

    [Fact]
    public async Task A_device_that_was_restarted_says_that_it_has_forgotten_the_connection()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, _) = await pair.ConnectAsync();
        IMeshStream stream = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        IPEndPoint place = pair.B.Address;
        pair.B.Endpoint.GoSilent(); // it is killed, and says no goodbye
        await pair.B.DisposeAsync();
        await using var again = new TestDevice(pair.B.Identity, new MeshEndpointSettings { Listen = [place] });
        try
        {
            await stream.WriteAsync("are you there?"u8.ToArray(), Never);
        }
        catch (StreamAbortedException)
        {
            // What was on its way has asked already.
        }

        ConnectionEnd end = await a.Closed.WaitAsync(EndpointPair.Patience);
        Assert.Equal((true, CloseCodes.Forgotten), (end.ByRemote, end.Code));
        Assert.True(again.Endpoint.Counters.ForgottenAnswered >= 1);
    }

    [Theory]
    [InlineData(StreamPriority.Ordinary)]
    [InlineData(StreamPriority.Bulk)]
    public async Task Twenty_megabytes_arrive_as_they_were(StreamPriority priority)
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        byte[] data = new byte[20 << 20];
        new Random(1).NextBytes(data);
        IMeshStream ours = await a.OpenStreamAsync(priority, Never);
        Task sending = Task.Run(async () =>
        {
            await ours.WriteAsync(data, Never);
            await ours.CompleteWritesAsync();
        });

        IMeshStream theirs = (await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience))!;
        byte[] read = await theirs.ReadToEndAsync();
        await sending.WaitAsync(EndpointPair.Patience);

        Assert.True(data.AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task A_hundred_streams_run_side_by_side()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        Task serving = Task.Run(async () =>
        {
            while (await b.AcceptStreamAsync(Never) is { } stream)
            {
                _ = Task.Run(async () =>
                {
                    byte[] all = await stream.ReadToEndAsync();
                    await stream.WriteAsync(all, Never);
                    await stream.CompleteWritesAsync();
                });
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            byte[] data = new byte[1000 + (i * 997)];
            new Random(i).NextBytes(data);
            IMeshStream stream = await a.OpenStreamAsync((StreamPriority)(i % 3), Never);
            await stream.WriteAsync(data, Never);
            await stream.CompleteWritesAsync();
            Assert.Equal(data, await stream.ReadToEndAsync());
        })).WaitAsync(EndpointPair.Patience);

        await a.CloseAsync(0, "done");
        await serving.WaitAsync(EndpointPair.Patience);
    }

    [Fact]
    public async Task A_writer_waits_for_a_reader_that_does_not_read()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, _) = await pair.ConnectAsync();
        IMeshStream stream = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(700));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.WriteAsync(new byte[64 << 20], soon.Token));
    }

    [Fact]
    public async Task Both_dialling_at_once_ends_in_one_usable_connection()
    {
        for (int round = 0; round < 10; round++)
        {
            await using var pair = new EndpointPair();
            IMeshConnection[] both = await Task.WhenAll(pair.A.ConnectAsync(pair.B), pair.B.ConnectAsync(pair.A));
            Assert.Equal(2, both.Length);

            // The twin that is given up may have been usable for a moment; who was quick enough to take it is told, and asks again.
            while (!await PassesAsync(await pair.A.ConnectAsync(pair.B), await pair.B.ConnectAsync(pair.A)))
            {
            }
        }

        static async Task<bool> PassesAsync(IMeshConnection a, IMeshConnection b)
        {
            try
            {
                await (await a.OpenStreamAsync(StreamPriority.Ordinary, Never)).WriteAsync("x"u8.ToArray(), Never);
            }
            catch (StreamAbortedException)
            {
                return false;
            }

            Task<IMeshStream?> accepted = b.AcceptStreamAsync(Never).AsTask();
            await Task.WhenAny(accepted, a.Closed).WaitAsync(EndpointPair.Patience);
            return accepted.IsCompleted && await accepted is not null;
        }
    }

    [Fact]
    public async Task Close_reaches_the_other_side_with_code_and_reason()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        IMeshStream open = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        await open.WriteAsync("x"u8.ToArray(), Never);
        IMeshStream theirs = (await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience))!;
        byte[] one = new byte[1];
        await theirs.ReadAsync(one, Never);
        Task<int> waiting = theirs.ReadAsync(one, Never).AsTask();

        await a.CloseAsync(7, "enough");

        Assert.Equal(new ConnectionEnd(true, 7, "enough"), await b.Closed.WaitAsync(EndpointPair.Patience));
        Assert.Equal(new ConnectionEnd(false, 7, "enough"), await a.Closed.WaitAsync(EndpointPair.Patience));
        await Assert.ThrowsAsync<StreamAbortedException>(() => waiting.WaitAsync(EndpointPair.Patience));
        Assert.Null(await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience));
    }

    [Fact]
    public async Task An_aborted_stream_ends_on_both_sides_and_the_connection_goes_on()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        IMeshStream stream = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        await stream.WriteAsync("x"u8.ToArray(), Never);
        IMeshStream theirs = (await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience))!;
        stream.Abort(42);

        StreamAbortedException aborted = await Assert.ThrowsAsync<StreamAbortedException>(() => theirs.ReadToEndAsync());
        Assert.Equal(42UL, aborted.Code);
        IMeshStream next = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        await next.WriteAsync("y"u8.ToArray(), Never);
        Assert.NotNull(await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience));
    }

    [Fact]
    public async Task A_restarted_peer_is_usable_at_once_and_the_old_connection_ends()
    {
        var book = new InvitationBook();
        await using var a = new TestDevice();
        var b = new TestDevice(book: book);
        a.Admit(b);
        b.Admit(a);
        IMeshConnection first = await b.ConnectAsync(a);
        IMeshConnection before = await a.AcceptAsync();
        b.Endpoint.GoSilent();
        await b.DisposeAsync();
        await using var again = new TestDevice(b.Identity);
        again.Admit(a);
        IMeshConnection second = await again.ConnectAsync(a);
        IMeshConnection after = await a.AcceptAsync();

        await before.Closed.WaitAsync(EndpointPair.Patience);
        Assert.NotSame(before, after);
        await (await second.OpenStreamAsync(StreamPriority.Ordinary, Never)).WriteAsync("x"u8.ToArray(), Never);
        Assert.NotNull(await after.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience));
        Assert.NotNull(first);
    }

    [Fact]
    public async Task A_silent_peer_is_noticed()
    {
        var settings = new MeshEndpointSettings
        {
            Listen = [new IPEndPoint(IPAddress.Loopback, 0)],
            Connection = new ConnectionSettings { KeepAlive = TimeSpan.FromMilliseconds(100), PeerTimeout = TimeSpan.FromMilliseconds(400) },
        };
        await using var pair = new EndpointPair(settings);
        (IMeshConnection a, _) = await pair.ConnectAsync();
        IMeshStream stream = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        await stream.WriteAsync("x"u8.ToArray(), Never);

        pair.B.Endpoint.GoSilent();

        Assert.Equal(CloseCodes.TimedOut, (await a.Closed.WaitAsync(EndpointPair.Patience)).Code);
    }

    [Fact]
    public async Task A_dial_without_an_answer_says_so()
    {
        var settings = new MeshEndpointSettings
        {
            Listen = [new IPEndPoint(IPAddress.Loopback, 0)],
            Handshake = new HandshakeSettings { AttemptTimeout = TimeSpan.FromMilliseconds(300) },
        };
        await using var a = new TestDevice(settings: settings);
        await using var stranger = new TestDevice();

        MeshException error = await Assert.ThrowsAsync<MeshException>(() => a.ConnectAsync(stranger));

        Assert.Equal(ProtocolErrors.NoAnswer, error.Code);
        Assert.Equal(0, stranger.Endpoint.Counters.DatagramsSent);
        Assert.True(stranger.Endpoint.Counters.Strangers > 0);
    }

    [Fact]
    public async Task An_invitation_admits_once_and_both_sides_see_the_same_digits()
    {
        var book = new InvitationBook();
        await using var host = new TestDevice(book: book);
        await using var guest = new TestDevice();
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        var invitation = new Invitation
        {
            Key = host.Identity.PublicKey,
            Secret = book.Create(now, Invitation.DefaultLifetime, SystemEntropy.Instance),
            ExpiresAt = now + Invitation.DefaultLifetime,
            InviterName = "host",
            Addresses = [host.Address],
        };

        MeshConnection joined = await guest.Endpoint.JoinAsync(invitation, Never).AsTask().WaitAsync(EndpointPair.Patience);
        var accepted = (MeshConnection)await host.AcceptAsync();

        Assert.Equal(joined.ComputeCheckDigits(), accepted.ComputeCheckDigits());
        Assert.Equal(invitation.Secret.Id, accepted.Invitation);
        Assert.True(book.Records[0].IsUsed);
        await using var second = new TestDevice();
        MeshException error = await Assert.ThrowsAsync<MeshException>(() => second.Endpoint.JoinAsync(invitation, Never).AsTask().WaitAsync(EndpointPair.Patience));
        Assert.Equal(ProtocolErrors.InvitationUsed, error.Code);
    }

    [Fact]
    public async Task A_taken_port_is_an_error_with_the_address()
    {
        await using var a = new TestDevice();

        MeshException error = Assert.Throws<MeshException>(() => new TestDevice(settings: new MeshEndpointSettings { Listen = [a.Address] }));

        Assert.Equal(TransportErrors.CannotListen, error.Code);
        Assert.Contains(a.Address.ToString(), error.Message, StringComparison.Ordinal);
    }
}
