using AgentMesh.Errors;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Tests;

public sealed class SettingsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-settings-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Defaults_come_from_the_reference()
    {
        NodeSettings settings = Load(null);

        Assert.Equal(14590, settings.Listen[0].Port);
        Assert.Equal(2, settings.Listen.Count);
        Assert.Equal(TimeSpan.FromMinutes(10), settings.Invite.Lifetime);
        Assert.Equal([], settings.DefaultGrants);
        Assert.True(settings.ConfinesPrograms);
        Assert.Null(settings.ConfigFile);
        Assert.Null(settings.Jobs.TotalTimeout);
        Assert.Equal(10L << 30, settings.Output.RetainedBytesMax);
        Assert.Equal(_directory, settings.DataDirectory);
        Assert.Matches("^[A-Za-z0-9._-]+$", settings.DeviceName);
    }

    [Fact]
    public void A_peer_config_of_kai_is_understood()
    {
        NodeSettings settings = Load("""
            { "listenPort": 14595, "autoListen": true, "interactive": true,
              "peers": [ { "host": "127.0.0.1", "port": 14590 } ],
              "commands": { "add": "calc 1+2", "say": "echo \"hello\"" } }
            """, "peer_config.json");

        Assert.Equal(14595, settings.Listen[0].Port);
        Assert.Equal([new HostPort("127.0.0.1", 14590)], settings.Peers);
        Assert.Equal("calc 1+2", settings.Aliases["add"]);
        Assert.Equal("echo \"hello\"", settings.Aliases["say"]);
    }

    [Fact]
    public void Programs_of_single_grants_are_free_only_where_that_is_said()
    {
        NodeSettings settings = Load("agentmesh.grants.confine = off");
        Assert.False(settings.ConfinesPrograms);
        Assert.Equal(_directory, Path.GetDirectoryName(settings.ConfigFile));
        Assert.Equal("AM0203", Assert.Throws<MeshException>(() => Load("agentmesh.grants.confine = maybe")).Code);
    }

    [Fact]
    public void A_pool_has_a_name_and_a_connection_that_is_read_apart()
    {
        Assert.Null(Load(null).Pool);
        NodeSettings settings = Load("agentmesh { pool { name = lab, connection-file = /x }, jobs.home = lab }");
        Assert.Equal(("lab", "/x", "AGENTMESH_POOL_CONNECTION", TimeSpan.FromSeconds(10)), (settings.Pool!.Name, settings.Pool.ConnectionFile, settings.Pool.ConnectionVariable, settings.Pool.Lease));
        Assert.True(settings.Jobs.InPool);
    }

    [Theory]
    [InlineData("agentmesh { pool.name = \"My Pool\" }", "agentmesh.pool.name")]
    [InlineData("agentmesh { pool { name = lab, lease = 100ms } }", "agentmesh.pool.lease")]
    [InlineData("agentmesh { jobs.home = other, pool.name = lab }", "agentmesh.jobs.home")]
    [InlineData("agentmesh { jobs.home = lab }", "agentmesh.jobs.home")]
    public void A_pool_that_cannot_be_is_refused(string file, string path)
    {
        MeshException error = Assert.Throws<MeshException>(() => Load(file));
        Assert.Equal(NodeErrors.ConfigurationValue, error.Code);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Environment_wins_over_the_file_and_options_win_over_both()
    {
        var source = Source("agentmesh { device-name = file, listen.port = 1001 }") with
        {
            Environment = name => name switch { "AGENTMESH_PORT" => "1002", "AGENTMESH_DEVICE_NAME" => "environment", _ => null },
            Options = new Dictionary<string, string> { ["listen.port"] = "1003" },
        };

        NodeSettings settings = SettingsLoader.Load(source);

        Assert.Equal(1003, settings.Listen[0].Port);
        Assert.Equal("environment", settings.DeviceName);
    }

    [Theory]
    [InlineData("agentmesh { lisen { port = 1 } }", "AM0202", "agentmesh.listen")]
    [InlineData("agentmesh { listen { prt = 1 } }", "AM0202", "agentmesh.listen.port")]
    [InlineData("agentmesh { listen { port = 70000 } }", "AM0203", "65535")]
    [InlineData("agentmesh { link { keepalive = soon } }", "AM0203", "duration")]
    [InlineData("agentmesh { output { spool-max = lots } }", "AM0203", "size")]
    [InlineData("agentmesh { device-name = \"a b\" }", "AM0203", "letters")]
    [InlineData("agentmesh { jobs { used-up = never } }", "AM0203", "paused, failed")]
    [InlineData("agentmesh { udp { congestion = reno } }", "AM0203", "cubic, bbr")]
    [InlineData("agentmesh { turn { servers = [turn.example.org] } }", "AM0203", "password-file")]
    [InlineData("agentmesh { turn { servers = [{ url = \"stun:turn.example.org\", user = mesh, password-file = f }] } }", "AM0203", "turn:HOST")]
    [InlineData("agentmesh { turn { servers = [{ url = \"turn:turn.example.org:0\", user = mesh, password-file = f }] } }", "AM0203", "turn:HOST")]
    [InlineData("agentmesh { turn { servers = [{ url = \"turns:turn.example.org?transport=udp\", user = mesh, password-file = f }] } }", "AM0203", "turns:HOST")]
    [InlineData("agentmesh { turn { servers = [{ url = \"turn:turn.example.org?transport=sctp\", user = mesh, password-file = f }] } }", "AM0203", "turn:HOST")]
    [InlineData("agentmesh { turn { servers = [{ url = \"turn:turn.example.org?transport=tcp\", user = mesh, password-file = f, ca-file = g }] } }", "AM0203", "turns:HOST")]
    [InlineData("agentmesh { turn { servers = [{ url = \"turn:turn.example.org\", password-file = f }] } }", "AM0203", "a user")]
    [InlineData("agentmesh { turn { servers = [{ url = \"turn:turn.example.org\", user = mesh }] } }", "AM0203", "password-env")]
    [InlineData("agentmesh { turn { servers = [{ url = \"turn:turn.example.org\", user = mesh, password-env = E, paswort = x }] } }", "AM0203", "password-file")]
    [InlineData("agentmesh { discovery { lan { enabled = maybe } } }", "AM0203", "on, off")]
    [InlineData("agentmesh { discovery { lan = off } }", "AM0203", "agentmesh.discovery.lan.enabled")]
    [InlineData("agentmesh { discovery { lan { interval = 0 } } }", "AM0203", "duration")]
    [InlineData("agentmesh {\n  listen { port = \n", "AM0201", "line")]
    public void A_wrong_setting_is_refused_with_code_and_place(string text, string code, string says)
    {
        MeshException error = Assert.Throws<MeshException>(() => Load(text));

        Assert.Equal(code, error.Code);
        Assert.Contains(says, error.Message + error.NextStep, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("agentmesh.conf", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_in_the_settings_is_refused_and_not_repeated()
    {
        MeshException error = Assert.Throws<MeshException>(() => Load("agentmesh { turn { servers = [{ url = \"turn:h\", user = mesh, password = horse }] } }"));

        Assert.Contains("password-file", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Servers_that_pass_on_are_read()
    {
        NodeSettings settings = Load("agentmesh { turn { servers = [{ url = \"turn:turn.example.org:3479?transport=udp\", user = mesh, password-env = TURN_PASSWORD }, { url = \"turn:192.0.2.7\", user = \"a b\", password-file = \"/etc/turn\" }] } }");

        Assert.Equal([new TurnServerSettings(new TurnServer("turn.example.org", 3479), "mesh", null, "TURN_PASSWORD"), new TurnServerSettings(new TurnServer("192.0.2.7", 3478), "a b", "/etc/turn", null)], settings.Turn);
    }

    [Theory]
    [InlineData("turn:turn.example.org?transport=tcp", "turn.example.org", 3478, TurnTransport.Tcp, "turn.example.org:3478/tcp")]
    [InlineData("TURN:[2001:db8::7]:99?TRANSPORT=TCP", "2001:db8::7", 99, TurnTransport.Tcp, "[2001:db8::7]:99/tcp")]
    [InlineData("turns:turn.example.org", "turn.example.org", 5349, TurnTransport.Tls, "turn.example.org:5349/tls")]
    [InlineData("turns:192.0.2.7:443?transport=tcp", "192.0.2.7", 443, TurnTransport.Tls, "192.0.2.7:443/tls")]
    [InlineData("turns:192.0.2.7", "192.0.2.7", 5349, TurnTransport.Tls, "192.0.2.7:5349/tls")]
    public void Servers_that_pass_on_are_spoken_with_as_their_url_says(string url, string host, int port, TurnTransport transport, string shown)
    {
        string rest = transport == TurnTransport.Tls ? ", ca-file = \"/etc/turn.pem\"" : "";
        TurnServer server = Load($"agentmesh {{ turn {{ servers = [{{ url = \"{url}\", user = mesh, password-env = P{rest} }}] }} }}").Turn[0].Server;

        Assert.Equal(new TurnServer(host, port, transport) { CaFile = rest.Length > 0 ? "/etc/turn.pem" : null }, server);
        Assert.Equal(shown, server.ToString());
    }

    [Fact]
    public void Discovery_on_the_local_network_is_on_unless_switched_off()
    {
        Assert.Equal(new UdpSettings(true, 4 << 20, CongestionControl.Bbr, Ecn: false), Load(null).Udp);
        Assert.False(Load("agentmesh { udp.offload = off }").Udp.Offload);
        Assert.Equal(CongestionControl.Cubic, Load("agentmesh { udp.congestion = cubic }").Udp.Congestion);
        Assert.Equal(new LanSettings(true, 14591, TimeSpan.FromSeconds(60), Mdns: true, AnnounceName: false), Load(null).Lan);
        Assert.False(Load("agentmesh { discovery.lan.enabled = off }").Lan.Enabled);
        Assert.False(Load("agentmesh { discovery.lan.enabled = false }").Lan.Enabled);
    }

    [Fact]
    public void An_unreadable_file_is_named()
    {
        MeshException error = Assert.Throws<MeshException>(() => SettingsLoader.Load(Source(null) with { ConfigFile = Path.Combine(_directory, "none.conf") }));

        Assert.Equal("AM0204", error.Code);
    }

    [Fact]
    public void A_second_owner_of_a_data_directory_is_refused_with_the_process_of_the_first()
    {
        string path = Path.Combine(_directory, "data");
        using (DataDirectory.Open(path, 4711))
        {
            MeshException error = Assert.Throws<MeshException>(() => DataDirectory.Open(path, 4712));
            Assert.Equal("AM0205", error.Code);
            Assert.Contains("4711", error.Message, StringComparison.Ordinal);
        }

        DataDirectory.Open(path, 4712).Dispose();
    }

    private NodeSettings Load(string? text, string file = "agentmesh.conf") => SettingsLoader.Load(Source(text, file));

    private SettingsSource Source(string? text, string file = "agentmesh.conf")
    {
        if (text is not null)
        {
            File.WriteAllText(Path.Combine(_directory, file), text);
        }

        return new SettingsSource(null, _directory, new Dictionary<string, string>(), _ => null);
    }
}
