using AgentMesh.Errors;
using AgentMesh.Node.Links;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Tests;

/// <summary>Settings that are changed while the node runs, and hold after its restart.</summary>
public sealed class ChangedSettingsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-changed-").FullName;
    private ConnectionsSettings? _applied;

    private SettingsSource Source => new(null, _directory, new Dictionary<string, string>(), _ => null);

    private string ChangedFile => Path.Combine(_directory, ChangedSettings.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_change_is_applied_kept_and_taken_back()
    {
        Write("agentmesh { link.incoming = known, bandwidth.up = 1MiB }");
        ChangedSettings changed = Open();

        Assert.Equal(("link.incoming", "none"), changed.Set("agentmesh.link.incoming", "none"));
        Assert.Equal(("bandwidth.up", "65536"), changed.Set("bandwidth.up", "64KiB"));
        Assert.Equal(("bandwidth.down", "32768"), changed.Set("bandwidth.down", "32KiB"));
        Assert.Equal(("link.auto-connect-devices.gpu.box", "off"), changed.Set("link.auto-connect-devices.gpu.box", "off"));
        ConnectionsSettings after = SettingsLoader.Load(Source).Connections;
        Assert.Equal((Incoming.None, 65_536, 32_768), (_applied!.Incoming, _applied.BytesPerSecondUp, _applied.BytesPerSecondDown));
        Assert.Equal((Incoming.None, true, 65_536, 32_768), (after.Incoming, after.AutoConnect, after.BytesPerSecondUp, after.BytesPerSecondDown));
        Assert.False(after.AutoConnectDevices["gpu.box"]);
        Assert.Contains("65536", changed.Text().Replace("64KiB", "65536", StringComparison.Ordinal), StringComparison.Ordinal);

        Assert.Equal(("link.incoming", "known"), changed.Set("link.incoming", null));
        Assert.Equal(("bandwidth.up", "1048576"), changed.Set("bandwidth.up", null));
        Assert.Equal(("bandwidth.down", "0"), changed.Set("bandwidth.down", null));
        Assert.Equal(("link.auto-connect-devices.gpu.box", "default"), changed.Set("link.auto-connect-devices.gpu.box", null));
        Assert.False(File.Exists(ChangedFile));
    }

    [Theory]
    [InlineData("link.incoming", "some", "AM0203", "agentmesh.link.incoming")]
    [InlineData("link.auto-connect", "perhaps", "AM0203", "agentmesh.link.auto-connect")]
    [InlineData("link.auto-connect-devices.box", "1", "AM0203", "agentmesh.link.auto-connect-devices.box")]
    [InlineData("bandwidth.up", "fast", "AM0203", "agentmesh.bandwidth.up")]
    [InlineData("bandwidth.up", "1KiB", "AM0203", "16KiB")]
    [InlineData("bandwidth.up", "-1", "AM0203", "agentmesh.bandwidth.up")]
    [InlineData("listen.port", "1", "AM0232", "agentmesh.listen.port")]
    [InlineData("bandwidth.down", "1KiB", "AM0203", "16KiB")]
    [InlineData("bandwidth.sideways", "1MiB", "AM0202", "agentmesh.bandwidth.sideways")]
    [InlineData("link.auto-connect-devices", "off", "AM0202", "agentmesh.link.auto-connect-devices")]
    public void What_cannot_be_is_refused_with_its_place_and_changes_nothing(string key, string value, string code, string says)
    {
        ChangedSettings changed = Open();
        changed.Set("link.incoming", "known");
        _applied = null;
        string before = File.ReadAllText(ChangedFile);

        MeshException error = Assert.Throws<MeshException>(() => changed.Set(key, value));

        Assert.Equal(code, error.Code);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.NextStep);
        Assert.Null(_applied);
        Assert.Equal(before, File.ReadAllText(ChangedFile));
    }

    [Fact]
    public void A_file_that_was_spoilt_by_hand_is_named()
    {
        File.WriteAllText(ChangedFile, "agentmesh.link.incomming = none\n");
        Assert.Contains(ChangedFile, Assert.Throws<MeshException>(() => SettingsLoader.Load(Source)).Message, StringComparison.Ordinal);
    }

    private ChangedSettings Open() => new(Source, _directory, now => _applied = now);

    private void Write(string text) => File.WriteAllText(Path.Combine(_directory, "agentmesh.conf"), text);
}
