using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Sec;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>
/// One table of what is malformed, against a running node that has a peer: each gives its code, says what is wrong, and gives the next step; after all of it the registry, the devices and the connection are what they
/// were. What beacons and the DHT answer stands in the tests of those projects.
/// </summary>
public sealed class MalformedInputTests
{
    private const string Phrase = "four words are enough";

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private static readonly DeviceIdentity Stranger = DeviceIdentity.Create(SystemEntropy.Instance);
    private static readonly Invitation Whole = new()
    {
        Key = Stranger.PublicKey,
        Secret = InvitationSecret.Next(SystemEntropy.Instance),
        ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(Now.ToUnixTimeSeconds() + 600),
        InviterName = "elsewhere",
        Addresses = [new(System.Net.IPAddress.Loopback, 9)],
    };

    /// <param name="Says">Words of the message or of the next step: what is wrong and where.</param>
    private sealed record Row(string Kind, string Input, string Code, string Says);

    [Fact]
    public async Task Everything_malformed_is_refused_with_code_place_and_next_step_and_nothing_trusted_is_lost()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        await using TestNode other = await TestNode.StartAsync("other");
        string used = (await other.RunAsync("invite", "--link")).Done().Trim();
        (await node.RunAsync("join", used)).Done();
        await Eventually.HoldsAsync(async () => (await node.RunAsync("@other", "calc", "1+1")).Out == "2\n", "the two are linked", TimeSpan.FromMinutes(1));
        string own = (await node.RunAsync("invite", "--link")).Done().Trim();
        string ownCode = (await node.RunAsync("invite", "--code")).Done().Trim();
        using var client = new ControlClient(ControlSocketPath.For(node.Data));
        string before = await TrustedAsync(node);

        Row[] rows = [.. Links(used, own), .. Codes(ownCode), .. Places(other.Port), .. Files(), .. Configurations(), .. Changes()];
        var wrong = new List<string>();
        foreach (Row row in rows)
        {
            if (await ProblemAsync(row, client) is { } problem)
            {
                wrong.Add($"{row.Kind} «{Shown(row.Input)}»: expected {row.Code} with '{row.Says}', got {problem}");
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {rows.Length} rows:\n{string.Join("\n", wrong)}");
        Assert.Equal(before, await TrustedAsync(node));
        Assert.Equal("3\n", (await node.RunAsync("@other", "calc", "1+2")).Done());
    }

    private static IEnumerable<Row> Links(string used, string own)
    {
        string whole = Whole.ToLink();
        string[] rest = [.. whole.Split('&')];
        yield return new("link", "agentmesh://", "AM0110", "does not start with");
        yield return new("link", whole[..^1], "AM0110", "lost or changed");
        yield return new("link", whole[..^11], "AM0110", "end is missing");
        yield return new("link", whole[..40], "AM0110", "end is missing");
        yield return new("link", whole.Replace("n=elsewhere", "n=elsewherf", StringComparison.Ordinal), "AM0110", "lost or changed");
        yield return new("link", whole.Replace("agentmesh:", "https:", StringComparison.Ordinal), "AM0110", "does not start with");
        yield return new("link", whole.Replace("agentmesh:", "clawchat:", StringComparison.Ordinal), "AM0110", "does not start with");
        yield return new("link", Changed("v", "2"), "AM0110", "version 2");
        yield return new("link", Changed("k", "AAAA"), "AM0110", "'k' does not hold 32 bytes");
        yield return new("link", Changed("k", new string('A', 42) + "!"), "AM0110", "'k' does not hold 32 bytes");
        yield return new("link", Changed("k", Base64Url.EncodeToString(Enumerable.Repeat((byte)0xff, 32).ToArray())), "AM0121", "Pair");
        yield return new("link", Changed("s", "AAAA"), "AM0110", "'s' does not hold 16 bytes");
        yield return new("link", Changed("x", "-1"), "AM0110", "'x' is no time");
        yield return new("link", Changed("x", "99999999999999999999"), "AM0110", "'x' is no time");
        yield return new("link", Changed("x", "1000000000"), "AM0111", "expired");
        yield return new("link", Changed("n", "%1b%5b2J"), "AM0110", "'n' is no name");
        yield return new("link", Changed("n", new string('n', 65)), "AM0110", "'n' is no name");
        yield return new("link", Changed("b", new string('b', 321), add: true), "AM0110", "'b' is no beacon");
        yield return new("link", Changed("k", Stranger.PublicKey.ToString(), add: true), "AM0110", "2 times");
        yield return new("link", Checked(string.Join('&', rest[..^2].Where(part => !part.StartsWith("a=", StringComparison.Ordinal)))), "AM0110", "names no address");
        yield return new("link", Checked(whole[..whole.LastIndexOf("&c=", StringComparison.Ordinal)] + string.Concat(Enumerable.Repeat("&a=192.0.2.1:1", 17))), "AM0110", "more than 16 addresses");
        yield return new("link", whole + new string('x', 5000), "AM0110", "4096");
        yield return new("link", used, "AM0112", "used already");
        yield return new("link", own, "AM0208", "on the other device");
        foreach (string address in (string[])["192.0.2.7", "192.0.2.7:0", "192.0.2.7:65536", "lab.example:14590", "[2001:db8::7", "192.0.2.300:1", "%00"])
        {
            yield return new("candidate of a link", Changed("a", address), "AM0110", "is no address with a port");
        }
    }

    private static IEnumerable<Row> Codes(string own)
    {
        yield return new("code", "", "AM0135", "empty");
        yield return new("code", "AMBER", "AM0135", "1 part");
        yield return new("code", "AMBER-WALNUT", "AM0135", "2 parts");
        yield return new("code", "AMBER-WALNUT-4821-7", "AM0135", "4 parts");
        yield return new("code", "AMBER-WALNUT-48210", "AM0135", "third part");
        yield return new("code", "AMBER-WALNUT-48x1", "AM0135", "third part");
        yield return new("code", "QQQQQ-WALNUT-4821", "AM0135", "first");
        yield return new("code", "AMBER-QQQQQ-4821", "AM0135", "second");
        yield return new("code", "AMBER-WALNUT-\u0664\u0668\u0662\u0661", "AM0135", "third part");
        yield return new("code", new string('A', 10_000), "AM0135", "10000 characters");
        yield return new("code", own, "AM0139", "other device");
    }

    private static IEnumerable<Row> Places(int port)
    {
        foreach (string place in (string[])[":14590", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "[", "a b", new string('h', 300)])
        {
            yield return new("candidate", place, "AM0208", "HOST:PORT");
        }

        yield return new("candidate", $"127.0.0.1:{port}", "AM0134", "AMBER");
    }

    private static IEnumerable<Row> Files()
    {
        SecContent content = SecContent.Of(Whole, Now, TimeSpan.Zero);
        string whole = Encoding.UTF8.GetString(SecFile.Seal(content, Phrase, SystemEntropy.Instance));
        yield return new(".sec", "", "AM0143", "JSON");
        yield return new(".sec", whole[..(whole.Length / 2)], "AM0143", "JSON");
        yield return new(".sec", "{}", "AM0143", "JSON");
        yield return new(".sec", whole + new string(' ', SecFile.BytesMax), "AM0143", "65536");
        yield return new(".sec", With("version", "1.0"), "AM0149", "version");
        yield return new(".sec", With("version", "3.0"), "AM0149", "version");
        yield return new(".sec", With("algorithm", "AES-128-CBC"), "AM0149", "AES-256-GCM");
        yield return new(".sec", With("iterations", 1), "AM0149", "iterations");
        yield return new(".sec", With("iterations", int.MaxValue), "AM0149", "iterations");
        yield return new(".sec", With("salt", "not base64"), "AM0143", "base64");
        yield return new(".sec", With("iv", "AAAA"), "AM0143", "length");
        yield return new(".sec", With("tag", Convert.ToBase64String(new byte[16])), "AM0144", "passphrase");
        yield return new(".sec", Sealed(content with { ValidUntil = 1_000_000_000 }), "AM0145", "sec create");
        yield return new(".sec", Sealed(content with { Protocol = "clawchat-1" }), "AM0143", "no invitation");
        yield return new(".sec", Sealed(content with { ServerPublicKey = "AAAA" }), "AM0143", "no invitation");
        yield return new(".sec", Sealed(content with { SharedSecret = null }), "AM0143", "no invitation");
        yield return new(".sec", Sealed(content with { ServerName = "\u001b[2J" }), "AM0143", "no invitation");
        yield return new("candidate of a .sec", Sealed(content with { Addresses = ["192.0.2.7:0"] }), "AM0143", "no address");
        yield return new("candidate of a .sec", Sealed(content with { Addresses = [.. Enumerable.Repeat("192.0.2.7:1", 17)] }), "AM0143", "no invitation");
        yield return new("beacon of a .sec", Sealed(content with { Beacons = [new string('b', 321)] }), "AM0143", "no beacon");

        string With(string field, JsonNode value)
        {
            JsonObject outer = JsonNode.Parse(whole)!.AsObject();
            outer[field] = value;
            return outer.ToJsonString();
        }

        static string Sealed(SecContent inside) => Encoding.UTF8.GetString(SecFile.Seal(inside, Phrase, SystemEntropy.Instance));
    }

    private static IEnumerable<Row> Configurations()
    {
        yield return new("configuration", "agentmesh { listen { port = \n", "AM0201", "line");
        yield return new("configuration", "agentmesh { lisen { port = 1 } }", "AM0202", "agentmesh.listen");
        yield return new("configuration", "agentmesh { discovery { dht { enable = on } } }", "AM0202", "agentmesh.discovery.dht.enabled");
        yield return new("configuration", "agentmesh { discovery { dht = on } }", "AM0203", "agentmesh.discovery.dht.enabled");
        yield return new("configuration", "agentmesh { listen { port = 70000 } }", "AM0203", "65535");
        yield return new("configuration", "agentmesh { listen { port = -1 } }", "AM0203", "agentmesh.listen.port");
        yield return new("configuration", "agentmesh { listen { hosts = [\"here\"] } }", "AM0203", "IPv4 or IPv6");
        yield return new("configuration", "agentmesh { link { keepalive = soon } }", "AM0203", "duration");
        yield return new("configuration", "agentmesh { link { keepalive = -5s } }", "AM0203", "duration");
        yield return new("configuration", "agentmesh { link { incoming = some } }", "AM0203", "known");
        yield return new("configuration", "agentmesh { jobs { total-timeout = -5s } }", "AM0203", "agentmesh.jobs.total-timeout");
        yield return new("configuration", "agentmesh { jobs { attempts = many } }", "AM0203", "agentmesh.jobs.attempts");
        yield return new("configuration", "agentmesh { jobs { jitter = 2 } }", "AM0203", "0 to 1");
        yield return new("configuration", "agentmesh { jobs { jitter = NaN } }", "AM0203", "0 to 1");
        yield return new("configuration", "agentmesh { output { spool-max = -1 } }", "AM0203", "size");
        yield return new("configuration", "agentmesh { security { key-rotation-interval = 1h } }", "AM0203", "5s to 120s");
        yield return new("configuration", "agentmesh { invite { lifetime = 0s } }", "AM0203", "agentmesh.invite.lifetime");
        yield return new("configuration", "agentmesh { invite { lifetime = 30d } }", "AM0203", "1s to 24h");
        yield return new("configuration", "agentmesh { grants { default = [root] } }", "AM0203", "agentmesh.grants.default");
        yield return new("configuration", "agentmesh { grants { introduce = nobody } }", "AM0203", "everyone, granted");
        yield return new("configuration", "agentmesh { device-name = \"a b\" }", "AM0203", "letters");
        yield return new("beacon entry", "agentmesh { beacons = [\"nonsense\"] }", "AM0203", "HOST:PORT#KEY");
        yield return new("beacon entry", "agentmesh { beacons = [\"192.0.2.7:0#" + Stranger.PublicKey + "\"] }", "AM0203", "HOST:PORT#KEY");
        yield return new("beacon entry", "agentmesh { beacons = [\"192.0.2.7:14592#short\"] }", "AM0203", "HOST:PORT#KEY");
        yield return new("beacon entry", "agentmesh { beacons = [\"192.0.2.7:14592#" + Stranger.PublicKey + ",ftp://x/\"] }", "AM0203", "HOST:PORT#KEY");
        yield return new("beacon entry", "agentmesh { beacons { a = b } }", "AM0202", "agentmesh.beacons");
        yield return new("DHT node", "agentmesh { discovery { dht { bootstrap = [\"nowhere\"] } } }", "AM0203", "HOST:PORT");
        yield return new("DHT node", "agentmesh { discovery { dht { bootstrap = [\"router:99999\"] } } }", "AM0203", "HOST:PORT");
        yield return new("candidate of the settings", "agentmesh { peers = [{ host = \"192.0.2.7\", port = 70000 }] }", "AM0203", "agentmesh.peers");
        yield return new("candidate of the settings", "agentmesh { peers = [{ host = \"\", port = 1 }] }", "AM0203", "agentmesh.peers");
        yield return new("candidate of the settings", "agentmesh { peers = [{ host = \"192.0.2.7\" }] }", "AM0203", "agentmesh.peers");
        yield return new("candidate of the settings", "agentmesh { stun { servers = [\"stun:h:0\"] } }", "AM0203", "HOST:PORT");
        yield return new("candidate of the settings", "agentmesh { turn { servers = [{ url = \"http://h\", user = u, password-env = E }] } }", "AM0203", "turn:HOST");
    }

    private static IEnumerable<Row> Changes()
    {
        yield return new("change", "link.incoming=some", "AM0203", "nothing was changed");
        yield return new("change", "link.auto-connect=perhaps", "AM0203", "nothing was changed");
        yield return new("change", "bandwidth.up=-1", "AM0203", "nothing was changed");
        yield return new("change", "bandwidth.up=fast", "AM0203", "nothing was changed");
        yield return new("change", "lnk.incoming=all", "AM0202", "agentmesh config");
        yield return new("change", "listen.port=1", "AM0232", "agentmesh.conf");
    }

    private static async Task<string?> ProblemAsync(Row row, ControlClient client)
    {
        try
        {
            switch (row.Kind)
            {
                case "candidate":
                    await JoinAsync(client, PairingVerbs.RequestOf("AMBER-WALNUT-4821", at: row.Input));
                    break;
                case "code":
                    await JoinAsync(client, new JoinRequest(Code: row.Input));
                    break;
                case "change":
                    await client.PostAsync("v1/config", new SetRequest(row.Input.Split('=')[0], row.Input.Split('=')[1]), ControlJson.Default.SetRequest, ControlJson.Default.SettingView, CancellationToken.None);
                    break;
                case var kind when kind.EndsWith(".sec", StringComparison.Ordinal):
                    SecFile.Read(Encoding.UTF8.GetBytes(row.Input)).Open(Phrase).ToInvitation(Now);
                    break;
                case var kind when kind.Contains("link", StringComparison.Ordinal):
                    await JoinAsync(client, PairingVerbs.RequestOf(row.Input));
                    break;
                default:
                    Load(row.Input);
                    break;
            }

            return "no error";
        }
        catch (MeshException error)
        {
            bool isSaid = $"{error.Message} {error.NextStep}".Contains(row.Says, StringComparison.OrdinalIgnoreCase);
            return error.Code == row.Code && isSaid && error.NextStep is { Length: > 0 } ? null : $"{error.Code} '{error.Message}' next: '{error.NextStep}'";
        }
        catch (Exception error)
        {
            return error.ToString();
        }
    }

    private static Task<PairingView> JoinAsync(ControlClient client, JoinRequest request) =>
        client.PostAsync("v1/join", request, ControlJson.Default.JoinRequest, ControlJson.Default.PairingView, CancellationToken.None);

    private static void Load(string text)
    {
        string directory = Directory.CreateTempSubdirectory("am-conf-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "agentmesh.conf"), text);
            SettingsLoader.Load(new SettingsSource(null, directory, new Dictionary<string, string>(), static _ => null));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>What must not change: the registry byte for byte, who is in with which grants, and the connection that was there.</summary>
    private static async Task<string> TrustedAsync(TestNode node)
    {
        using var client = new ControlClient(ControlSocketPath.For(node.Data));
        IReadOnlyList<DeviceView> devices = await client.GetAsync("v1/devices", ControlJson.Default.IReadOnlyListDeviceView, CancellationToken.None);
        IReadOnlyList<ConnectionView> connections = await node.ConnectionsAsync("other");
        return string.Join('\n',
            Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(node.Data, "registry")))),
            Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(node.Data, "invitations")))),
            string.Join('\n', devices.Select(device => $"{device.Name} {device.Id} {device.State} {device.AdmittedBy} {string.Join(' ', device.Grants)}")),
            string.Join(' ', connections.Select(connection => $"{connection.OpenedAt:O} {connection.State}").Order(StringComparer.Ordinal)));
    }

    private static string Changed(string parameter, string value, bool add = false)
    {
        string whole = Whole.ToLink();
        string body = whole[..whole.LastIndexOf("&c=", StringComparison.Ordinal)];
        int mark = body.IndexOf('?', StringComparison.Ordinal) + 1;
        IEnumerable<string> parts = body[mark..].Split('&').Select(part => !add && part.StartsWith(parameter + "=", StringComparison.Ordinal) ? $"{parameter}={value}" : part);
        return Checked(body[..mark] + string.Join('&', add ? parts.Append($"{parameter}={value}") : parts));
    }

    /// <summary>With the check that belongs to it, so that it is not the check that refuses it.</summary>
    private static string Checked(string body) => $"{body}&c={Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(body)).AsSpan(0, 6))}";

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
