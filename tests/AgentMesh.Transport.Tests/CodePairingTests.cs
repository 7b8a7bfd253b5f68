using System.Net.Sockets;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Transport.Pairing;

namespace AgentMesh.Transport.Tests;

/// <summary>Pairing by code on real sockets of one machine.</summary>
public sealed class CodePairingTests : IAsyncDisposable
{
    private readonly InvitationBook _book = new();
    private readonly TestDevice _host;
    private readonly TestDevice _guest = new();
    private readonly CodePairing _inviting;
    private readonly CodePairing _joining;

    public CodePairingTests()
    {
        _host = new TestDevice(book: _book);
        _inviting = new CodePairing(_host.Endpoint, null, _host.Identity, "host", _book);
        _joining = new CodePairing(_guest.Endpoint, null, _guest.Identity, "guest", new InvitationBook());
    }

    public async ValueTask DisposeAsync()
    {
        await _inviting.DisposeAsync();
        await _joining.DisposeAsync();
        await _host.DisposeAsync();
        await _guest.DisposeAsync();
    }

    [Fact]
    public async Task A_code_becomes_a_connection_with_the_same_digits_on_both_sides()
    {
        (PairingCode code, InvitationId invitation) = Invite();
        using var limit = new CancellationTokenSource(EndpointPair.Patience);

        Invitation found = await _joining.FindAsync(code.ToString(), [_host.Address], limit.Token);
        await using MeshConnectionGuard mine = new(await _guest.Endpoint.JoinAsync(found, limit.Token));
        var theirs = (MeshConnection)await _host.AcceptAsync();

        Assert.Equal(("host", _host.Identity.PublicKey), (found.InviterName, found.Key));
        Assert.Equal(mine.Connection.ComputeCheckDigits(), theirs.ComputeCheckDigits());
        Assert.Equal(invitation, _book.RootOf(theirs.Invitation));
        Assert.Equal(AgentMesh.Protocol.Handshake.InvitationStatus.Used, _book.Find(invitation, TimeProvider.System.GetUtcNow()).Status);
    }

    [Fact]
    public async Task Two_that_try_at_the_same_time_get_one_in_and_one_out()
    {
        (PairingCode code, _) = Invite();
        await using var other = new TestDevice();
        await using var too = new CodePairing(other.Endpoint, null, other.Identity, "other", new InvitationBook());

        string[] ends = await Task.WhenAll(new[] { _joining, too }.Select(each => EndOf(each.FindAsync(code.ToString(), [_host.Address], CancellationToken.None))));

        Assert.Equal(["", TransportErrors.CodeOver], ends.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_wrong_guess_is_told_to_the_side_that_invited()
    {
        (PairingCode code, InvitationId invitation) = Invite();
        var told = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _inviting.Guessed += from => told.TrySetResult(from);
        string right = code.ToString(), wrong = right[..^1] + (right[^1] == '0' ? '1' : '0');

        Assert.Equal(TransportErrors.CodeWrong, await EndOf(_joining.FindAsync(wrong, [_host.Address], CancellationToken.None)));

        Assert.Equal(_guest.Address.ToString(), await told.Task.WaitAsync(EndpointPair.Patience));
        CodeStatus status = _inviting.StatusOf(invitation)!.Value;
        Assert.Equal(1, status.WrongGuesses);
        Assert.Equal("", await EndOf(_joining.FindAsync(status.Code.ToString(), [_host.Address], CancellationToken.None)));
    }

    [Fact]
    public async Task A_code_is_found_while_strangers_flood_the_port()
    {
        (PairingCode code, _) = Invite();
        using var stop = new CancellationTokenSource();
        Task flood = Task.Run(() =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            byte[] junk = new byte[70];
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                Random.Shared.NextBytes(junk);
                (junk[0], junk[1], junk[2]) = (0x90, (byte)(i % 8), 1);
                socket.SendTo(junk.AsSpan(0, i % 3 == 0 ? CodeQuestion.Size : junk.Length), _host.Address);
                if (i % 64 == 0)
                {
                    Thread.Yield();
                }
            }
        });

        string end = "";
        for (int attempt = 0; attempt < 5 && (end = await EndOf(_joining.FindAsync(code.ToString(), [_host.Address], CancellationToken.None))).Length > 0; attempt++)
        {
            Assert.Contains(end, new[] { TransportErrors.CodeNobody, TransportErrors.CodeBrokenOff });
        }

        await stop.CancelAsync();
        await flood;
        Assert.Equal("", end);
    }

    [Fact]
    public async Task Looking_for_a_code_ends_when_it_is_cancelled()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _joining.FindAsync("amber-walnut-4821", [_host.Address], stop.Token));
    }

    [Fact]
    public async Task Every_error_has_a_page()
    {
        Assert.Equal(TransportErrors.CodeMalformed, await EndOf(_joining.FindAsync("amber", null, CancellationToken.None)));
        Assert.Equal(TransportErrors.CodeNobody, await EndOf(_joining.FindAsync("amber-walnut-4821", null, CancellationToken.None)));
        Assert.Equal(TransportErrors.CodeOwn, await EndOf(_inviting.FindAsync(Invite().Code.ToString(), [_host.Address], CancellationToken.None)));
        string? root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root!, "AgentMesh.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        foreach (System.Reflection.FieldInfo field in typeof(TransportErrors).GetFields())
        {
            string code = (string)field.GetRawConstantValue()!;
            Assert.StartsWith($"# {code}", await File.ReadAllTextAsync(Path.Combine(root!, "docs", "errors", code + ".md")), StringComparison.Ordinal);
        }
    }

    private static async Task<string> EndOf(Task<Invitation> finding)
    {
        try
        {
            await finding.WaitAsync(EndpointPair.Patience);
            return "";
        }
        catch (MeshException error)
        {
            return error.Code;
        }
    }

    private (PairingCode Code, InvitationId Invitation) Invite()
    {
        InvitationId invitation = _book.Create(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(10), SystemEntropy.Instance).Id;
        return (_inviting.Offer(invitation), invitation);
    }

    private sealed record MeshConnectionGuard(MeshConnection Connection) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Connection.CloseAsync(0, "the test is over");
    }
}
