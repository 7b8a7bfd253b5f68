using AgentMesh.Errors;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Identity;

public sealed class IdentityFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("agentmesh-identity-").FullName;
    private readonly SeededEntropy _entropy = new(7);

    private string FilePath => Path.Combine(_directory, IdentityFile.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Is_created_once_and_loaded_ever_after()
    {
        DeviceIdentity created = IdentityFile.LoadOrCreate(_directory, _entropy);
        DeviceIdentity loaded = IdentityFile.LoadOrCreate(_directory, _entropy);

        Assert.Equal(created.PublicKey, loaded.PublicKey);
        Assert.Equal(created.Id, loaded.Id);
        Assert.True(DeviceIdentity.Verify(created.PublicKey, "x"u8, loaded.Sign("x"u8)));
        Assert.Equal([FilePath], Directory.GetFiles(_directory));
    }

    [Fact]
    public void Can_be_read_by_its_owner_only()
    {
        IdentityFile.LoadOrCreate(_directory, _entropy);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        }
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void Is_refused_when_other_users_can_use_it(UnixFileMode extra)
    {
        IdentityFile.LoadOrCreate(_directory, _entropy);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(FilePath, File.GetUnixFileMode(FilePath) | extra);
            Assert.Equal(ProtocolErrors.IdentityExposed, CodeOfLoading());
        }
    }

    [Fact]
    public void The_next_key_takes_the_place_of_the_present_one_and_the_device_keeps_its_id()
    {
        DeviceIdentity first = IdentityFile.LoadOrCreate(_directory, _entropy);
        Assert.Null(IdentityFile.LoadNext(_directory));
        DeviceIdentity next = first.CreateSuccessor(_entropy);
        IdentityFile.WriteNext(_directory, next);
        Assert.Equal(first.PublicKey, IdentityFile.LoadOrCreate(_directory, _entropy).PublicKey);
        Assert.Equal((next.PublicKey, first.Id), (IdentityFile.LoadNext(_directory)!.PublicKey, IdentityFile.LoadNext(_directory)!.Id));

        IdentityFile.TakeNext(_directory);
        DeviceIdentity loaded = IdentityFile.LoadOrCreate(_directory, _entropy);
        Assert.Equal((next.PublicKey, first.Id), (loaded.PublicKey, loaded.Id));
        Assert.NotEqual(loaded.PublicKey.Id, loaded.Id);
        Assert.Equal([FilePath], Directory.GetFiles(_directory));
        Can_be_read_by_its_owner_only();
    }

    [Fact]
    public void Is_refused_when_cut_anywhere()
    {
        IdentityFile.LoadOrCreate(_directory, _entropy);
        byte[] good = File.ReadAllBytes(FilePath);
        for (int length = 0; length < good.Length; length++)
        {
            Overwrite(good[..length]);
            Assert.Equal(ProtocolErrors.IdentityDamaged, CodeOfLoading());
        }
    }

    [Fact]
    public void Is_refused_when_any_bit_is_flipped()
    {
        IdentityFile.LoadOrCreate(_directory, _entropy);
        byte[] good = File.ReadAllBytes(FilePath);
        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Overwrite(bad);
            Assert.True(CodeOfLoading() == ProtocolErrors.IdentityDamaged, $"bit {bit}");
        }
    }

    [Fact]
    public void Is_refused_when_too_long()
    {
        IdentityFile.LoadOrCreate(_directory, _entropy);
        Overwrite(new byte[100_000]);
        Assert.Equal(ProtocolErrors.IdentityDamaged, CodeOfLoading());
    }

    [Fact]
    public void Damaged_file_is_not_replaced()
    {
        IdentityFile.LoadOrCreate(_directory, _entropy);
        Overwrite("nonsense"u8.ToArray());
        Assert.Throws<MeshException>(() => IdentityFile.LoadOrCreate(_directory, _entropy));
        Assert.Equal("nonsense", File.ReadAllText(FilePath));
    }

    [Fact]
    public void Rest_of_a_crashed_creation_is_no_identity()
    {
        string left = $"{FilePath}.{Guid.NewGuid():N}.new";
        File.WriteAllText(left, "agentmesh-iden");
        File.SetLastWriteTimeUtc(left, File.GetLastWriteTimeUtc(left) - TimeSpan.FromHours(1));
        DeviceIdentity identity = IdentityFile.LoadOrCreate(_directory, _entropy);
        Assert.Equal(identity.PublicKey, IdentityFile.Load(FilePath).PublicKey);
        Assert.Equal([FilePath], Directory.GetFiles(_directory));
    }

    [Fact]
    public void Missing_directory_is_said()
    {
        MeshException e = Assert.Throws<MeshException>(() => IdentityFile.LoadOrCreate(Path.Combine(_directory, "none"), _entropy));
        Assert.Equal(ProtocolErrors.IdentityUnreadable, e.Code);
    }

    [Fact]
    public void Stamps_go_on_after_a_restart_with_a_clock_that_went_back()
    {
        DateTimeOffset day = new(2030, 1, 2, 0, 0, 0, TimeSpan.Zero);
        InitiationStamps first = StampFile.Open(_directory);
        ulong before = first.Next(day);
        Assert.Equal(before + 1, first.Next(day.AddHours(-1)));
        Assert.True(StampFile.Open(_directory).Next(day.AddDays(-1)) > before + 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("18446744073709551615")]
    public void Damaged_stamp_file_counts_as_none(string text)
    {
        File.WriteAllText(Path.Combine(_directory, StampFile.FileName), text);
        DateTimeOffset day = new(2030, 1, 2, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal((ulong)(day - DateTimeOffset.UnixEpoch).Ticks, StampFile.Open(_directory).Next(day));
    }

    private string CodeOfLoading() => Assert.Throws<MeshException>(() => IdentityFile.Load(FilePath)).Code;

    private void Overwrite(byte[] bytes)
    {
        using FileStream file = new(FilePath, FileMode.Truncate); // keeps the mode
        file.Write(bytes);
    }
}
