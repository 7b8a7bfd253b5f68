using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Server;
using AgentMesh.Errors;
using AgentMesh.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Beacon.Web;

/// <summary>The counters of a beacon in the text format of Prometheus, at <c>/metrics</c> of an address that the operator chose. Names keep their meaning.</summary>
public sealed class BeaconMetrics : IAsyncDisposable
{
    private readonly WebApplication _app;

    private BeaconMetrics(WebApplication app) => _app = app;

    /// <exception cref="MeshException">AM0154: the address cannot be listened on.</exception>
    public static async Task<BeaconMetrics> StartAsync(IPEndPoint address, BeaconServer server)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxConcurrentConnections = 16;
            options.Limits.MaxRequestBodySize = 0;
            options.Listen(address);
        });
        WebApplication app = builder.Build();
        app.MapGet("/metrics", () => Results.Text(Write(server.Counters, server.Packets, server.Web), "text/plain; version=0.0.4; charset=utf-8"));
        try
        {
            await app.StartAsync().ConfigureAwait(false);
            return new BeaconMetrics(app);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new MeshException(BeaconErrors.CannotListen, $"cannot listen on TCP {address} for metrics: {error.Message}", "choose another address with --metrics", error);
        }
    }

    /// <summary>All counters.</summary>
    public static string Write(BeaconCounters counters, MeshEndpointCounters packets, BeaconWebCounters web)
    {
        var text = new StringBuilder();
        Gauge("devices", "Devices that are registered now.", counters.Devices);
        Gauge("channels", "Pairs of devices that are relayed or may be.", counters.Channels);
        Gauge("websockets", "WebSockets now.", web.Tunnels);
        Counter("relayed_datagrams", "Datagrams passed on.", counters.DatagramsRelayed);
        Counter("relayed_bytes", "Bytes passed on, envelopes included.", counters.BytesRelayed);
        Counter("limited_datagrams", "Datagrams dropped because a device had used up its allowance.", counters.Limited);
        Counter("crowded_out_datagrams", "Datagrams dropped because all devices together sent more than is relayed in all.", counters.Crowded);
        Counter("wrong_address_datagrams", "Datagrams on a channel from another address than that of its device.", counters.WrongAddress);
        Counter("unknown_channel_datagrams", "Datagrams on no channel.", counters.UnknownChannel);
        Counter("notices", "Devices told that their channel is not known, or not at the address they send from.", counters.Notices);
        Counter("refused_devices", "Devices sent away because there were too many.", counters.Refused);
        Counter("refused_channels", "Pairs that got no channel because there were too many.", counters.ChannelsRefused);
        Counter("refused_websockets", "WebSockets not taken because there were too many.", web.Refused);
        Counter("unused_websockets", "WebSockets closed because no device spoke over them.", web.Unused);
        Counter("websocket_dropped_datagrams", "Datagrams that a WebSocket did not carry in time.", web.Dropped);
        Counter("received_datagrams", "Datagrams received.", packets.DatagramsReceived);
        Counter("sent_datagrams", "Datagrams sent.", packets.DatagramsSent);
        Counter("stranger_handshakes", "Handshakes of devices that are not admitted.", packets.Strangers);
        Counter("refused_handshakes", "Handshakes refused, replayed or above the limits.", packets.RefusedHandshakes);
        Counter("forgotten_sessions_answered", "Packets of sessions from before a restart whose senders were told so.", packets.ForgottenAnswered);
        Counter("forged_packets", "Packets that were not authentic.", packets.NotAuthentic);
        return text.ToString();

        void Gauge(string name, string help, long value) => Write(name, "gauge", help, value);

        void Counter(string name, string help, long value) => Write(name + "_total", "counter", help, value);

        void Write(string name, string type, string help, long value) => text.Append(
            CultureInfo.InvariantCulture, $"# HELP agentmesh_beacon_{name} {help}\n# TYPE agentmesh_beacon_{name} {type}\nagentmesh_beacon_{name} {value}\n");
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await _app.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _app.DisposeAsync().ConfigureAwait(false);
    }
}
