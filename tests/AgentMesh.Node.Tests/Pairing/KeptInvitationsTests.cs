using AgentMesh.Errors;
using AgentMesh.Journal.Tests;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Pairing;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentMesh.Node.Tests.Pairing;

public sealed class KeptInvitationsTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly TempDirectory _directory = new();
    private readonly Clock _time = new();
    private readonly DeviceIdentity _self = DeviceIdentity.Create(SystemEntropy.Instance);
    private readonly DevicePublicKey _guest = DeviceIdentity.Create(SystemEntropy.Instance).PublicKey;
    private readonly DeviceRegistry _registry;

    public KeptInvitationsTests() => _registry = DeviceRegistry.Open(_directory.File("registry"), _self, _time);

    private string Path => _directory.File(InvitationFile.FileName);

    private DateTimeOffset Now => _time.GetUtcNow();

    public void Dispose()
    {
        _registry.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void An_invitation_is_open_after_a_restart_and_used_after_another()
    {
        KeptInvitation made = Open().Create(["run"], Now, Day);

        KeptInvitations second = Open();
        Assert.Equal(made.Secret, second.Book.Find(made.Secret.Id, Now).Secret);
        Assert.Equal(["run"], second.Find(made.Secret.Id)!.Grants);
        Assert.True(second.TryTake(made.Secret.Id, _guest, Now));

        KeptInvitations third = Open();
        Assert.Equal(InvitationStatus.Used, third.Book.Find(made.Secret.Id, Now).Status);
        Assert.False(third.TryTake(made.Secret.Id, _guest, Now));
        Assert.Equal((_guest, true), (third.All.Single().UsedBy, third.All.Single().IsPending));
        third.Admitted(made.Secret.Id, "phone", "123 456");

        KeptInvitation last = Open().All.Single();
        Assert.Equal((false, "phone", "123 456"), (last.IsPending, last.Name, last.CheckDigits));
    }

    [Fact]
    public void No_more_are_open_than_the_setting_allows_also_after_a_restart()
    {
        Open(2).Create([], Now, Day);
        KeptInvitations restarted = Open(2);
        KeptInvitation second = restarted.Create([], Now, Day);
        Assert.Equal(ProtocolErrors.TooManyInvitations, Assert.Throws<MeshException>(() => restarted.Create([], Now, Day)).Code);
        Assert.True(restarted.TryTake(second.Secret.Id, _guest, Now));
        restarted.Create([], Now, Day);
        Assert.Equal(3, Open(2).All.Count);
    }

    [Fact]
    public void The_file_is_for_its_owner_alone_and_nothing_of_a_crash_stays()
    {
        string left = $"{Path}.{Guid.NewGuid():N}.new";
        File.WriteAllText(left, "half");
        File.SetLastWriteTimeUtc(left, File.GetLastWriteTimeUtc(left) - TimeSpan.FromHours(1));
        Open().Create([], Now, Day);

        Assert.False(File.Exists(left));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        }
    }

    [Fact]
    public void What_cannot_be_kept_lets_nobody_in_and_is_open_again_when_it_can()
    {
        KeptInvitations invitations = Open();
        KeptInvitation made = invitations.Create([], Now, Day);
        using (Blocked())
        {
            Assert.False(invitations.TryTake(made.Secret.Id, _guest, Now));
            Assert.Equal("AM0181", Assert.Throws<MeshException>(() => invitations.Create([], Now, Day)).Code);
        }

        Assert.Single(invitations.All);
        Assert.Equal(InvitationStatus.Open, Open().Book.Find(made.Secret.Id, Now).Status);
        Assert.True(invitations.TryTake(made.Secret.Id, _guest, Now));
        Assert.Equal(InvitationStatus.Used, Open().Book.Find(made.Secret.Id, Now).Status);
    }

    [Fact]
    public async Task Of_many_who_come_at_once_one_is_let_in()
    {
        KeptInvitations invitations = Open();
        KeptInvitation made = invitations.Create([], Now, Day);
        DevicePublicKey[] guests = [.. Enumerable.Range(0, 8).Select(_ => DeviceIdentity.Create(SystemEntropy.Instance).PublicKey)];

        bool[] taken = await Task.WhenAll(guests.Select(guest => Task.Run(() => invitations.TryTake(made.Secret.Id, guest, Now))));

        int winner = Assert.Single(Enumerable.Range(0, guests.Length), i => taken[i]);
        Assert.Equal(guests[winner], Open().All.Single().UsedBy);
    }

    [Fact]
    public void Whoever_proves_a_code_uses_the_invitation_up_for_good()
    {
        KeptInvitations invitations = Open();
        KeptInvitation made = invitations.Create([], Now, Day);
        InvitationSecret proven = InvitationSecret.Next(SystemEntropy.Instance);
        Assert.True(invitations.Book.TryNarrow(made.Secret.Id, proven, _guest, TimeSpan.FromSeconds(30), Now));
        Assert.True(invitations.TryTake(proven.Id, _guest, Now));

        Assert.Equal(InvitationStatus.Used, Open().Book.Find(made.Secret.Id, Now).Status);
        Assert.Equal(InvitationStatus.Unknown, Open().Book.Find(proven.Id, Now).Status);
    }

    [Fact]
    public void Who_was_let_in_and_put_out_does_not_come_back_by_a_mark_that_stayed()
    {
        KeptInvitations invitations = Open();
        KeptInvitation made = invitations.Create([], Now, Day);
        Assert.True(invitations.TryTake(made.Secret.Id, _guest, Now));
        _registry.Admit(_guest, "phone", []);
        using (Blocked())
        {
            invitations.Admitted(made.Secret.Id, "phone", "123 456");
        }

        _registry.Forget(_guest.Id);

        Assert.False(Open().All.Single().IsPending);
    }

    [Fact]
    public void Old_ones_and_those_of_another_key_are_forgotten()
    {
        KeptInvitation made = Open().Create([], Now, Day);
        Assert.Equal(InvitationStatus.Unknown, KeptInvitations.Open(Path, _guest, _registry, InvitationBook.OpenMax, _time, NullLogger.Instance).Book.Find(made.Secret.Id, Now).Status);
        _time.Advance(Day);
        Assert.Equal(InvitationStatus.Expired, Open().Book.Find(made.Secret.Id, Now).Status);
        _time.Advance(KeptInvitations.RememberedFor);
        Assert.Equal(InvitationStatus.Unknown, Open().Book.Find(made.Secret.Id, Now).Status);
    }

    [Fact]
    public void The_file_does_not_grow_without_end()
    {
        KeptInvitations invitations = Open();
        for (int i = 0; i < InvitationBook.RememberedMax + 20; i++)
        {
            invitations.Create([], Now, TimeSpan.FromSeconds(1));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(InvitationBook.RememberedMax, Open().All.Count);
        Assert.InRange(new FileInfo(Path).Length, 1, 128 * 1024);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{ \"version\": 2, \"key\": \"k\", \"invitations\": [] }")]
    [InlineData("{ \"version\": 1, \"key\": \"k\" }")]
    [InlineData("{ \"version\": 1, \"key\": \"k\", \"invitations\": {} }")]
    public void A_file_that_is_none_is_put_aside_and_invites_nobody(string text)
    {
        File.WriteAllText(Path, text);
        var file = new InvitationFile(Path);

        Assert.Empty(file.Read(_self.PublicKey));
        Assert.Equal(1, file.Ignored);
        Assert.Equal(text, File.ReadAllText(file.DamagedCopy));
        Assert.Empty(Open().All);
    }

    [Fact]
    public void A_file_that_is_too_long_is_put_aside_unread()
    {
        using (FileStream file = File.Create(Path))
        {
            file.SetLength(1L << 31);
        }

        Assert.Empty(Open().All);
        Assert.False(File.Exists(Path));
    }

    [Theory]
    [InlineData("\"secret\": \"", "\"secret\": \"?")]
    [InlineData("\"secret\": \"", "\"secret\": \"AAAA")]
    [InlineData("\"run\"", "\"root\"")]
    [InlineData("\"usedBy\": \"", "\"usedBy\": \"!")]
    public void A_damaged_entry_is_left_out_and_the_others_stay(string from, string to)
    {
        KeptInvitations before = Open();
        KeptInvitation damaged = before.Create(["run"], Now, Day);
        Assert.True(before.TryTake(damaged.Secret.Id, _guest, Now));
        KeptInvitation whole = before.Create([], Now, Day);
        string text = File.ReadAllText(Path);
        int at = text.IndexOf(from, StringComparison.Ordinal);
        File.WriteAllText(Path, text[..at] + to + text[(at + from.Length)..]);

        var file = new InvitationFile(Path);
        Assert.Equal(whole.Secret, file.Read(_self.PublicKey).Single().Secret);
        Assert.Equal(1, file.Ignored);
    }

    private KeptInvitations Open(int openMax = InvitationBook.OpenMax) => KeptInvitations.Open(Path, _self.PublicKey, _registry, openMax, _time, NullLogger.Instance);

    /// <summary>Nothing can be written while a directory stands in the place of the file; as a full disk, but for every user.</summary>
    private Unblock Blocked()
    {
        File.Move(Path, Path + ".aside");
        Directory.CreateDirectory(Path);
        return new Unblock(Path);
    }

    private sealed class Clock : TimeProvider
    {
        private DateTimeOffset _now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => _now;

        public void Advance(TimeSpan by) => _now += by;
    }

    private sealed class Unblock(string path) : IDisposable
    {
        public void Dispose()
        {
            Directory.Delete(path);
            File.Move(path + ".aside", path);
        }
    }
}
