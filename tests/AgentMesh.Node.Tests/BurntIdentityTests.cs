using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests;

public sealed class BurntIdentityTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _root = Directory.CreateTempSubdirectory("am-burnt-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Without_a_mark_nothing_is_moved()
    {
        DeviceIdentity identity = Identity();
        Assert.Null(BurntIdentity.Replace(_root));
        Assert.Equal(identity.Id, Identity().Id);
    }

    [Fact]
    public void A_marked_identity_is_replaced_and_its_data_lies_aside_without_the_key()
    {
        DeviceIdentity old = Identity();
        Write("registry", "r");
        Write("registry.fork", "f");
        Write("journal.db", "j");
        Write("journal.db-beside", "b");
        Write("CRON.md", "c");
        Directory.CreateDirectory(Path.Combine(_root, "output"));
        string promised = BurntIdentity.Mark(_root, old.Id, Now);

        Assert.Equal(promised, BurntIdentity.Replace(_root));
        Assert.True(File.Exists(Path.Combine(promised, "registry")) && Directory.Exists(Path.Combine(promised, "output")));
        Assert.Empty(Directory.EnumerateFiles(_root, "journal*"));
        Assert.Empty(Directory.EnumerateFiles(_root, "registry*"));
        Assert.False(File.Exists(Path.Combine(promised, IdentityFile.FileName)));
        Assert.True(File.Exists(Path.Combine(_root, "CRON.md")));
        Assert.NotEqual(old.Id, Identity().Id);
        Assert.Null(BurntIdentity.Replace(_root));
    }

    [Fact]
    public void A_replacement_that_was_broken_off_goes_on()
    {
        DeviceIdentity old = Identity();
        Write("registry", "r");
        Write("devices.json", "d");
        string promised = BurntIdentity.Mark(_root, old.Id, Now);
        BurntIdentity.DestroyKey(_root);
        Directory.CreateDirectory(promised);
        File.Move(Path.Combine(_root, "registry"), Path.Combine(promised, "registry"));

        Assert.Equal(promised, BurntIdentity.Replace(_root));
        Assert.True(File.Exists(Path.Combine(promised, "devices.json")) && File.Exists(Path.Combine(promised, "registry")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../outside")]
    [InlineData("burnt-../../outside")]
    public void A_damaged_mark_leads_nowhere_else(string text)
    {
        Identity();
        Write(BurntIdentity.MarkName, text);
        Assert.Equal(Path.Combine(_root, "burnt-identity"), BurntIdentity.Replace(_root));
    }

    private DeviceIdentity Identity() => IdentityFile.LoadOrCreate(_root, SystemEntropy.Instance);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_root, name), text);
}
