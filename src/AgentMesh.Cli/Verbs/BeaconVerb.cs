using System.CommandLine;
using System.Globalization;
using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Server;
using AgentMesh.Beacon.Web;
using AgentMesh.Errors;
using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Verbs;

/// <summary>beacon: the server at which devices behind NATs meet. It needs no node.</summary>
internal static class BeaconVerb
{
    private const int DefaultPort = 14592;
    private const int DefaultTlsPort = BeaconWebSettings.DefaultTlsPort;
    private const int DefaultMetricsPort = 14593;
    private const int DefaultPlainPort = 8443;
    private const double Mebibyte = 1024 * 1024;

    private static readonly TimeSpan ReportEvery = TimeSpan.FromMinutes(10);

    public static Command Create(GlobalOptions global)
    {
        var listen = new Option<string[]>("--listen") { Description = $"Local addresses with port, default 0.0.0.0:{DefaultPort} and [::]:{DefaultPort}.", AllowMultipleArgumentsPerToken = true };
        var data = new Option<string?>("--data") { Description = "Where its identity is kept (default: beacon in the data directory)." };
        var admit = new Option<string?>("--admit") { Description = "A file with the ids of the devices that may use it, one a line; read again when it changes. Without it: every device that knows its key." };
        var https = new Option<string[]>("--https") { Description = $"Local TCP addresses with port for WebSockets over TLS, by which devices come whose network lets no UDP through; default [::]:{DefaultTlsPort}, which is IPv4 too, where that port can be had; none for none.", AllowMultipleArgumentsPerToken = true };
        var certificate = new Option<string?>("--certificate") { Description = "A PEM file with the certificate for --https, and its chain (default: one that devices know by the beacon's own key)." };
        var key = new Option<string?>("--key") { Description = "The PEM file with its key." };
        var http = new Option<string[]>("--http") { Description = "Local TCP addresses with port for WebSockets without TLS, for a reverse proxy on this machine that terminates it: 127.0.0.1:8443.", AllowMultipleArgumentsPerToken = true };
        var rate = new Option<double?>("--rate") { Description = "MiB a second that are relayed for each device (default 8)." };
        var total = new Option<double?>("--total-rate") { Description = "MiB a second that are relayed in all, in equal shares for those who send (default: no bound)." };
        var metrics = new Option<string?>("--metrics") { Description = $"A local TCP address at which counters are given to Prometheus, for example 127.0.0.1:{DefaultMetricsPort}." };
        var devices = new Option<int?>("--devices") { Description = "Devices at one time (default 10000)." };
        return global.Verb("beacon", "Run a beacon: devices behind NATs meet at it and are relayed until they found a direct path (docs/beacon.md).", [listen, data, admit, https, certificate, key, http, rate, total, devices, metrics], async (session, parsed, cancel) =>
        {
            string directory = Path.GetFullPath(parsed.GetValue(data) ?? Path.Combine(SettingsLoader.DataDirectoryOf(session.Source()), "beacon"));
            PrivateDirectory.Create(directory);
            var limits = new BeaconLimits();
            var settings = new BeaconSettings
            {
                DataDirectory = directory,
                Listen = parsed.GetValue(listen) is { Length: > 0 } given ? [.. given.Select(text => Address("--listen", text, DefaultPort))] : [new IPEndPoint(IPAddress.Any, DefaultPort), new IPEndPoint(IPAddress.IPv6Any, DefaultPort)],
                Web = Web(parsed.GetValue(https), parsed.GetValue(http), parsed.GetValue(certificate), parsed.GetValue(key)),
                AdmissionFile = parsed.GetValue(admit),
                Limits = limits with
                {
                    DevicesMax = Positive(parsed.GetValue(devices) ?? limits.DevicesMax, "--devices"),
                    BytesPerSecond = (long)(Positive(parsed.GetValue(rate) ?? limits.BytesPerSecond / Mebibyte, "--rate") * Mebibyte),
                    TotalBytesPerSecond = parsed.GetValue(total) is { } inAll ? (long)(Positive(inAll, "--total-rate") * Mebibyte) : 0,
                },
            };
            await RunAsync(session, settings, parsed.GetValue(metrics) is { } local ? Address("--metrics", local, DefaultMetricsPort) : null, cancel).ConfigureAwait(false);
            return 0;
        });
    }

    private static async Task RunAsync(Session session, BeaconSettings settings, IPEndPoint? metricsAt, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using BeaconServer server = await BeaconServer.StartAsync(settings, TimeProvider.System).ConfigureAwait(false);
        await using BeaconMetrics? metrics = metricsAt is null ? null : await BeaconMetrics.StartAsync(metricsAt, server).ConfigureAwait(false);
        server.AdmissionProblem += problem => session.Terminal.Problem(problem);
        session.Terminal.Note($"beacon {server.PublicKey.Id} is up on {string.Join(", ", server.Addresses)}; data in {settings.DataDirectory}; admits {(settings.AdmissionFile is { } file ? $"the devices in {file}" : "every device that knows its key")}");
        session.Terminal.Note(server.TlsAddresses.Count + server.PlainAddresses.Count == 0
            ? "no WebSockets: devices whose network lets no UDP through cannot use it"
            : $"WebSockets {(server.TlsAddresses.Count > 0 ? $"over TLS on {string.Join(", ", server.TlsAddresses)}" : "")}{(server.TlsAddresses.Count * server.PlainAddresses.Count > 0 ? ", " : "")}{(server.PlainAddresses.Count > 0 ? $"without TLS on {string.Join(", ", server.PlainAddresses)}" : "")}");
        foreach (string reason in server.LeftOut)
        {
            session.Terminal.Note($"no WebSockets on TCP {reason}; --https says where else, --https none that they are not wanted");
        }

        session.Terminal.Note("in the agentmesh.conf of every device, with the name or address of this machine:");
        session.Terminal.Out.WriteLine($"agentmesh.beacons = [\"{server.LineOf("HOST")}\"]");
        await session.Terminal.Out.FlushAsync(stop.Token).ConfigureAwait(false);
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(ReportEvery, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Report(session, server.Counters, server.Web);
        }
    }

    private static BeaconWebSettings Web(string[]? https, string[]? http, string? certificate, string? key)
    {
        if (certificate is null != key is null)
        {
            throw new MeshException(CliErrors.Usage, "--certificate and --key belong together", "name both files, or none: the beacon then makes a certificate itself");
        }

        bool isDefault = https is not { Length: > 0 };
        return BeaconWebSettings.WherePossible with
        {
            Tls = isDefault ? BeaconWebSettings.WherePossible.Tls : https is ["none"] ? [] : [.. https!.Select(text => Address("--https", text, DefaultTlsPort))],
            IsTlsOptional = isDefault && certificate is null,
            Plain = [.. (http ?? []).Select(text => Address("--http", text, DefaultPlainPort))],
            Files = certificate is null ? null : (certificate, key!),
        };
    }

    private static void Report(Session session, BeaconCounters counters, BeaconWebCounters web) => session.Terminal.Note(string.Create(
        CultureInfo.InvariantCulture,
        $"{counters.Devices} devices, {counters.Channels} channels, {web.Tunnels} WebSockets; relayed {counters.DatagramsRelayed} datagrams, {counters.BytesRelayed / Mebibyte:0.0} MiB; dropped: {counters.Limited} over the allowance, {counters.WrongAddress} from wrong addresses, {counters.UnknownChannel} on unknown channels; refused: {counters.Refused} devices, {counters.ChannelsRefused} channels; codes: {counters.Codes.Places} offered, {counters.Codes.Messages} messages passed on, {counters.Codes.Limited} over the limits"));

    // Port 0, for any free one, has to be written.
    private static IPEndPoint Address(string option, string text, int defaultPort) => IPEndPoint.TryParse(text, out IPEndPoint? address)
        ? address.Port == 0 && !text.EndsWith(":0", StringComparison.Ordinal) ? new IPEndPoint(address.Address, defaultPort) : address
        : throw new MeshException(CliErrors.Usage, $"{option} {text}: ADDRESS:PORT is expected", $"for example {option} 0.0.0.0:{defaultPort}");

    private static T Positive<T>(T value, string option)
        where T : System.Numerics.INumber<T> =>
        value > T.Zero ? value : throw new MeshException(CliErrors.Usage, $"{option} must be above zero", "agentmesh beacon --help");
}
