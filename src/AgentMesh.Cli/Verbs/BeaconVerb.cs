using System.CommandLine;
using System.Globalization;
using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Server;
using AgentMesh.Errors;
using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Verbs;

/// <summary>beacon: the server at which devices behind NATs meet. It needs no node.</summary>
internal static class BeaconVerb
{
    private const int DefaultPort = 14592;
    private const double Mebibyte = 1024 * 1024;

    private static readonly TimeSpan ReportEvery = TimeSpan.FromMinutes(10);

    public static Command Create(GlobalOptions global)
    {
        var listen = new Option<string[]>("--listen") { Description = $"Local addresses with port, default 0.0.0.0:{DefaultPort} and [::]:{DefaultPort}.", AllowMultipleArgumentsPerToken = true };
        var data = new Option<string?>("--data") { Description = "Where its identity is kept (default: beacon in the data directory)." };
        var admit = new Option<string?>("--admit") { Description = "A file with the ids of the devices that may use it, one a line; read again when it changes. Without it: every device that knows its key." };
        var rate = new Option<double?>("--rate") { Description = "MiB a second that are relayed for each device (default 8)." };
        var devices = new Option<int?>("--devices") { Description = "Devices at one time (default 10000)." };
        return global.Verb("beacon", "Run a beacon: devices behind NATs meet at it and are relayed until they found a direct path (docs/beacon.md).", [listen, data, admit, rate, devices], async (session, parsed, cancel) =>
        {
            string directory = Path.GetFullPath(parsed.GetValue(data) ?? Path.Combine(SettingsLoader.DataDirectoryOf(session.Source()), "beacon"));
            PrivateDirectory.Create(directory);
            var limits = new BeaconLimits();
            var settings = new BeaconSettings
            {
                DataDirectory = directory,
                Listen = parsed.GetValue(listen) is { Length: > 0 } given ? [.. given.Select(Address)] : [new IPEndPoint(IPAddress.Any, DefaultPort), new IPEndPoint(IPAddress.IPv6Any, DefaultPort)],
                AdmissionFile = parsed.GetValue(admit),
                Limits = limits with
                {
                    DevicesMax = Positive(parsed.GetValue(devices) ?? limits.DevicesMax, "--devices"),
                    BytesPerSecond = (long)(Positive(parsed.GetValue(rate) ?? limits.BytesPerSecond / Mebibyte, "--rate") * Mebibyte),
                },
            };
            await RunAsync(session, settings, cancel).ConfigureAwait(false);
            return 0;
        });
    }

    private static async Task RunAsync(Session session, BeaconSettings settings, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using BeaconServer server = BeaconServer.Start(settings, TimeProvider.System);
        server.AdmissionProblem += problem => session.Terminal.Problem(problem);
        int port = server.Addresses[0].Port;
        session.Terminal.Note($"beacon {server.PublicKey.Id} is up on {string.Join(", ", server.Addresses)}; data in {settings.DataDirectory}; admits {(settings.AdmissionFile is { } file ? $"the devices in {file}" : "every device that knows its key")}");
        session.Terminal.Note("in the agentmesh.conf of every device, with the name or address of this machine:");
        session.Terminal.Out.WriteLine($"agentmesh.beacons = [\"HOST:{port.ToString(CultureInfo.InvariantCulture)}#{server.PublicKey}\"]");
        await session.Terminal.Out.FlushAsync(stop.Token).ConfigureAwait(false);
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(ReportEvery, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Report(session, server.Counters);
        }
    }

    private static void Report(Session session, BeaconCounters counters) => session.Terminal.Note(string.Create(
        CultureInfo.InvariantCulture,
        $"{counters.Devices} devices, {counters.Channels} channels; relayed {counters.DatagramsRelayed} datagrams, {counters.BytesRelayed / Mebibyte:0.0} MiB; dropped: {counters.Limited} over the allowance, {counters.WrongAddress} from wrong addresses, {counters.UnknownChannel} on unknown channels; refused: {counters.Refused} devices, {counters.ChannelsRefused} channels; codes: {counters.Codes.Places} offered, {counters.Codes.Messages} messages passed on, {counters.Codes.Limited} over the limits"));

    // Port 0, for any free one, has to be written.
    private static IPEndPoint Address(string text) => IPEndPoint.TryParse(text, out IPEndPoint? address)
        ? address.Port == 0 && !text.EndsWith(":0", StringComparison.Ordinal) ? new IPEndPoint(address.Address, DefaultPort) : address
        : throw new MeshException(CliErrors.Usage, $"--listen {text}: ADDRESS:PORT is expected", $"for example --listen 0.0.0.0:{DefaultPort}");

    private static T Positive<T>(T value, string option)
        where T : System.Numerics.INumber<T> =>
        value > T.Zero ? value : throw new MeshException(CliErrors.Usage, $"{option} must be above zero", "agentmesh beacon --help");
}
