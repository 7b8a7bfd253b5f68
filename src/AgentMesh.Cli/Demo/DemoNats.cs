using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Cli.Demo.Lab;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Demo;

/// <summary>The part with a network of its own, made of namespaces and nftables, where that is allowed. Everything of it is gone when it is disposed of.</summary>
internal sealed class DemoNats(DemoStage stage) : IDisposable
{
    private const string BeaconAddress = "203.0.113.10";
    private const int BeaconPort = 14592;

    // The second home's outside address: NatLab counts from 1.
    private const string OfficeOutside = "203.0.113.2";
    private const int ChunksMax = 400;
    private const int LinesOfChunk = 20_000;
    private const int BytesBefore = 1_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DemoReport _report = stage.Report;
    private NatLab? _lab;
    private Process? _beacon;

    public async Task ShowAsync()
    {
        _lab = NatLab.TryBuild(out string whyNot);
        if (_lab is not { } lab)
        {
            _report.Said($"left out: {whyNot} (it needs root, iproute2 and nftables)");
            return;
        }

        string setting = await StartBeaconAsync(lab).ConfigureAwait(false);
        DemoNode home = Add("home", lab.Home("home", NatKind.SymmetricInSteps()), setting), office = Add("office", lab.Home("office", NatKind.PortRestrictedCone()), setting);
        _report.Said("home: behind a NAT with another port for each address (symmetric); office: behind a port-restricted NAT; a beacon between");
        foreach (DemoNode node in new[] { home, office })
        {
            Answer up = await stage.Show(node, "up", "--detach", "--name", node.Name, "--port", "0", "--listen", "0.0.0.0").ConfigureAwait(false);
            await DemoStage.WaitFor(async () => (await node.AgentMesh("status").ConfigureAwait(false)).Out.Contains(": registered", StringComparison.Ordinal) ? "yes" : null, Patience).ConfigureAwait(false);
            _report.Check($"{node.Name} is up", up.Code == 0, up.Error);
        }

        await MeetAsync(home, office).ConfigureAwait(false);
        await LosePathAsync(lab, home, office).ConfigureAwait(false);
    }

    public void Dispose()
    {
        if (_beacon is { } beacon)
        {
            beacon.Kill();
            beacon.WaitForExit();
            beacon.Dispose();
            _beacon = null;
        }

        _lab?.Dispose();
        _lab = null;
    }

    private async Task MeetAsync(DemoNode home, DemoNode office)
    {
        Answer invited = await stage.Show(home, "invite", "--code").ConfigureAwait(false);
        Answer joined = await stage.Show(office, "join", invited.Out.Trim()).ConfigureAwait(false);
        _report.Check("they pair by the code alone, over the beacon", joined.Code == 0, joined.Out + joined.Error);

        Answer sum = await stage.Show(home, "@office", "calc", "6*7").ConfigureAwait(false);
        _report.Check("and work together at once", sum.Out == "42\n", sum.Out + sum.Error);
        string? path = await PathAsync(home, "office", path => path == "direct").ConfigureAwait(false);
        Answer peers = await stage.Show(home, "peers").ConfigureAwait(false);
        string[] paths = PathsOf(home);
        _report.Said($"paths since the start, by the log of home: {string.Join(", then ", paths)}");
        _report.Check("the path was relayed first and is direct now", path is not null && paths.Length > 1 && paths[0].StartsWith("relay via", StringComparison.Ordinal), $"{string.Join(", ", paths)}; {peers.Out}");
    }

    private async Task LosePathAsync(NatLab lab, DemoNode home, DemoNode office)
    {
        await stage.Show(office, "grant", "home", "run").ConfigureAwait(false);
        string sent = Path.Combine(stage.Directory, "sent"), enough = Path.Combine(stage.Directory, "enough");
        string program = string.Create(CultureInfo.InvariantCulture, $"i=0; while [ $i -lt {ChunksMax} ] && [ ! -e {enough} ]; do seq $((i*{LinesOfChunk}+1)) $(((i+1)*{LinesOfChunk})); i=$((i+1)); sleep 0.1; done | tee {sent}");
        _report.Typed(home.Name, $"run @office -- sh -c '{program}' | sha256sum");
        Task<Answer> transfer = home.Beside("run", "@office", "--", "sh", "-c", program);
        await DemoStage.WaitFor(() => Task.FromResult(File.Exists(sent) && new FileInfo(sent).Length > BytesBefore ? "yes" : null), Patience).ConfigureAwait(false);
        _report.Said($"the NAT of home drops everything to and from {OfficeOutside} from now on");
        lab.Block(home.Namespace!, OfficeOutside);
        string? path = await PathAsync(home, "office", path => path.StartsWith("relay via", StringComparison.Ordinal)).ConfigureAwait(false);
        bool isRunning = !transfer.IsCompleted;
        _report.Check("the direct path is lost in mid-transfer, and the relay takes over", isRunning && path is not null, string.Join(", ", PathsOf(home)));

        await File.WriteAllTextAsync(enough, "").ConfigureAwait(false);
        Answer output = await transfer.ConfigureAwait(false);
        string left = HashOf(await File.ReadAllBytesAsync(sent).ConfigureAwait(false)), arrived = HashOf(Encoding.UTF8.GetBytes(output.Out));
        _report.Said(string.Create(CultureInfo.InvariantCulture, $"{output.Out.Length:N0} bytes, sha256 {arrived}"));
        _report.Check("not a byte is lost: the hashes of what was sent and what arrived are the same", output.Code == 0 && left == arrived && output.Out.Length > BytesBefore, $"{new FileInfo(sent).Length} bytes with {left} were sent; {output.Error}");
    }

    private async Task<string> StartBeaconAsync(NatLab lab)
    {
        var starter = new DemoNode("beacon", Path.Combine(stage.Directory, "beacon")) { Namespace = lab.Host("beacon", BeaconAddress) };
        Directory.CreateDirectory(starter.Directory);
        _beacon = starter.Start("beacon", "--listen", $"0.0.0.0:{BeaconPort}", "--data", starter.Directory);
        _ = _beacon.StandardError.ReadToEndAsync();
        string line = await _beacon.StandardOutput.ReadLineAsync().ConfigureAwait(false) ?? "";
        _ = _beacon.StandardOutput.ReadToEndAsync();
        _report.Typed("beacon", $"beacon --listen 0.0.0.0:{BeaconPort}");
        return line.Replace("HOST:", BeaconAddress + ":", StringComparison.Ordinal);
    }

    private DemoNode Add(string name, string networkNamespace, string setting)
    {
        var node = new DemoNode(name, Path.Combine(stage.Directory, name)) { Namespace = networkNamespace };
        Directory.CreateDirectory(node.Directory);
        File.WriteAllText(Path.Combine(node.Directory, "agentmesh.conf"), $"{setting}\nagentmesh {{ gateway.mode = off, discovery.lan.enabled = off }}\n");
        stage.Further.Add(node);
        return node;
    }

    private static Task<string?> PathAsync(DemoNode node, string peer, Func<string, bool> isWanted) => DemoStage.WaitFor(async () =>
        DemoStage.Json(await node.AgentMesh("--json", "peers").ConfigureAwait(false), ControlJson.Default.IReadOnlyListPeerView)?.SingleOrDefault(each => each.Name == peer)?.Path is { } path && isWanted(path) ? path : null, Patience);

    // "... the path to ID is relay via HOST (PLACE)": what peers showed at each moment.
    private static string[] PathsOf(DemoNode node)
    {
        string log = Path.Combine(node.Directory, "node.log");
        return !File.Exists(log) ? [] : [.. File.ReadAllLines(log).Where(line => line.Contains("the path to ", StringComparison.Ordinal)).Select(line => line[(line.LastIndexOf(" is ", StringComparison.Ordinal) + 4)..])];
    }

    private static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
