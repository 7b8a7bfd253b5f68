using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using AgentMesh.Beacon.Client;
using AgentMesh.Transport;
using AgentMesh.Transport.Tunnels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Beacon.Tests;

/// <summary>What stands between a device and its beacon does what it likes with the messages, as somebody who has TLS and the proxy in hand can.</summary>
public sealed class HostileWebSocketTests : IAsyncLifetime
{
    private readonly TestBeacon _beacon = new(web: TestBeacon.WithWebSockets);
    private Middleman _between = null!;

    public async Task InitializeAsync() => _between = await Middleman.StartAsync(_beacon.ByPlain.WebSocket!);

    public async Task DisposeAsync()
    {
        await _between.DisposeAsync();
        await _beacon.DisposeAsync();
    }

    [Fact]
    public async Task What_is_reordered_repeated_dropped_cut_changed_and_swapped_arrives_whole_and_no_session_is_lost()
    {
        await using var a = new TestDevice(_beacon.ByPlain with { WebSocket = _between.Address });
        await using var b = new TestDevice(_beacon.ByPlain with { WebSocket = _between.Address });
        (MeshConnection ofA, MeshConnection ofB) = await WebSocketTests.ConnectAsync(a, b);
        _between.IsHostile = true;

        await WebSocketTests.CarryAsync(ofA, ofB, 60_000);
        await WebSocketTests.CarryAsync(ofB, ofA, 60_000);

        Assert.False(ofA.Closed.IsCompleted || ofB.Closed.IsCompleted);
        Assert.True(_between.Mischief.Count >= 4, string.Join(", ", _between.Mischief));
        Assert.True(a.Client.IsRegistered && b.Client.IsRegistered);
        Assert.True(a.Endpoint.Counters.NotAuthentic + b.Endpoint.Counters.NotAuthentic > 0);
    }

    [Theory]
    [InlineData(WebSocketMessageType.Text, 100)]
    [InlineData(WebSocketMessageType.Binary, 5_000)]
    public async Task A_WebSocket_that_does_not_keep_to_the_format_is_left_for_another(WebSocketMessageType type, int bytes)
    {
        await using var a = new TestDevice(_beacon.ByPlain with { WebSocket = _between.Address });
        a.Client.Start();
        await Wait.UntilAsync(() => a.Client.IsRegistered, "it is registered");
        long before = a.Client.WebSockets;

        await _between.SayToAllAsync(new byte[bytes], type);

        await Wait.UntilAsync(() => a.Client.WebSockets > before && a.Client.IsRegistered, "it came by another one");
    }

    [Fact]
    public async Task Messages_that_are_no_datagrams_end_nobody_elses_WebSocket()
    {
        await using var a = new TestDevice(_beacon.ByPlain);
        a.Client.Start();
        await Wait.UntilAsync(() => a.Client.IsRegistered, "it is registered");
        var random = new Random(3);
        foreach ((WebSocketMessageType type, int bytes, bool isWhole) in new[] { (WebSocketMessageType.Text, 10, true), (WebSocketMessageType.Binary, 3_000, true), (WebSocketMessageType.Binary, 0, false) })
        {
            using var socket = new ClientWebSocket();
            socket.Options.Proxy = null;
            socket.Options.AddSubProtocol(WebSocketTunnel.SubProtocol);
            await socket.ConnectAsync(_beacon.ByPlain.WebSocket!, CancellationToken.None);

            // Noise and empty messages are datagrams as any.
            byte[] noise = new byte[1_000];
            for (int i = 0; i < 200; i++)
            {
                random.NextBytes(noise);
                noise[0] = (byte)random.Next(0x80, 0x88);
                await socket.SendAsync(noise.AsMemory(0, random.Next(0, noise.Length)), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            }

            await socket.SendAsync(new byte[bytes], type, isWhole, CancellationToken.None);
            if (!isWhole)
            {
                await socket.SendAsync(ReadOnlyMemory<byte>.Empty, type, endOfMessage: false, CancellationToken.None);
            }

            using var limit = new CancellationTokenSource(TestDevice.Patience);
            try
            {
                Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveAsync(new byte[100], limit.Token)).MessageType);
            }
            catch (WebSocketException)
            {
                // Cut off without a word: as good.
            }
        }

        await Wait.UntilAsync(() => _beacon.Server.Web.Tunnels == 1, "only the device's own is left");
        Assert.True(a.Client.IsRegistered);
    }

    /// <summary>A WebSocket server that passes messages on to the beacon.</summary>
    private sealed class Middleman : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly Uri _beacon;
        private readonly ConcurrentDictionary<Lane, byte> _lanes = new();
        private readonly Random _random = new(11);

        private Middleman(WebApplication app, Uri beacon) => (_app, _beacon) = (app, beacon);

        public Uri Address { get; private set; } = null!;

        public bool IsHostile { get; set; }

        public ConcurrentDictionary<string, int> Mischief { get; } = new();

        public static async Task<Middleman> StartAsync(Uri beacon)
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
            WebApplication app = builder.Build();
            var middleman = new Middleman(app, beacon);
            app.UseWebSockets();
            app.Run(async http =>
            {
                using WebSocket near = await http.WebSockets.AcceptWebSocketAsync(WebSocketTunnel.SubProtocol);
                await middleman.PassAsync(near, http.RequestAborted);
            });
            await app.StartAsync();
            string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
            middleman.Address = new Uri(address.Replace("http:", "ws:", StringComparison.Ordinal));
            return middleman;
        }

        public async Task SayToAllAsync(byte[] message, WebSocketMessageType type)
        {
            foreach (Lane lane in _lanes.Keys.Where(lane => lane.IsToDevice))
            {
                await lane.SendAsync(message, type);
            }
        }

        public async ValueTask DisposeAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
            await _app.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _app.DisposeAsync();
        }

        private async Task PassAsync(WebSocket near, CancellationToken aborted)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(aborted);
            using var far = new ClientWebSocket();
            far.Options.Proxy = null;
            far.Options.AddSubProtocol(WebSocketTunnel.SubProtocol);
            await far.ConnectAsync(_beacon, over.Token);
            Lane up = new(far, isToDevice: false), down = new(near, isToDevice: true);
            _lanes[up] = _lanes[down] = 0;
            await Task.WhenAny(PumpAsync(near, up, over.Token), PumpAsync(far, down, over.Token));
            _lanes.TryRemove(up, out _);
            _lanes.TryRemove(down, out _);
            await over.CancelAsync();
            near.Abort();
            far.Abort();
        }

        private async Task PumpAsync(WebSocket from, Lane to, CancellationToken over)
        {
            byte[] buffer = new byte[4_096];
            while (true)
            {
                ValueWebSocketReceiveResult read = await from.ReceiveAsync(buffer.AsMemory(), over);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                await DoAsync(buffer[..read.Count], to);
            }
        }

        private async Task DoAsync(byte[] message, Lane to)
        {
            switch (IsHostile ? Roll(100) : 99)
            {
                case < 3:
                    Note("dropped");
                    return;
                case < 9:
                    Note("repeated");
                    await to.SendAsync(message);
                    await to.SendAsync(message);
                    return;
                case < 15:
                    Note("held back");
                    to.Held.Enqueue(message);
                    return;
                case < 17:
                    Note("cut");
                    await to.SendAsync(message[..Roll(message.Length)]);
                    return;
                case < 19:
                    Note("changed");
                    message[Roll(message.Length)] ^= (byte)(1 + Roll(255));
                    await to.SendAsync(message);
                    return;
                case < 21 when _lanes.Keys.FirstOrDefault(lane => lane != to && lane.IsToDevice == to.IsToDevice) is { } other:
                    Note("swapped");
                    await other.SendAsync(message);
                    return;
                default:
                    await to.SendAsync(message);
                    while (to.Held.TryDequeue(out byte[]? late))
                    {
                        await to.SendAsync(late);
                    }

                    return;
            }
        }

        private void Note(string what) => Mischief.AddOrUpdate(what, 1, (_, count) => count + 1);

        private int Roll(int below)
        {
            lock (_random)
            {
                return _random.Next(below);
            }
        }
    }

    private sealed class Lane(WebSocket to, bool isToDevice)
    {
        private readonly SemaphoreSlim _one = new(1, 1);

        public bool IsToDevice => isToDevice;

        public ConcurrentQueue<byte[]> Held { get; } = new();

        public async Task SendAsync(byte[] message, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            await _one.WaitAsync();
            try
            {
                await to.SendAsync(message, type, endOfMessage: true, CancellationToken.None);
            }
            catch (Exception error) when (error is WebSocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The other side is gone.
            }
            finally
            {
                _one.Release();
            }
        }
    }
}
