using System.Diagnostics;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Whose connections are taken, who is dialled and how much is sent: changed while nodes run.</summary>
public sealed class ConnectionSettingsTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_device_that_is_not_dialled_stays_away_until_somebody_connects_it_or_it_comes_by_itself()
    {
        await using TestNode here = await TestNode.StartAsync("here");
        await using TestNode there = await TestNode.StartAsync("there");
        await here.PairWithAsync(there);
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@there", "calc", "1")).Out == "1\n", "they are linked", Minute);
        (await there.RunAsync("config", "set", "link.incoming", "none")).Done();
        (await there.RunAsync("config", "set", "link.auto-connect", "off")).Done();
        (await here.RunAsync("devices", "auto-connect", "there", "off")).Done();
        (await here.RunAsync("invite", "--link")).Done();
        (await there.RunAsync("invite", "--link")).Refused("AM0186");
        Assert.Contains("but not to there", (await here.RunAsync("status")).Out, StringComparison.Ordinal);
        Assert.Contains("nobody may connect to this device", (await there.RunAsync("doctor")).Out, StringComparison.Ordinal);

        // Both settings hold after a restart.
        foreach (TestNode node in new[] { here, there })
        {
            (await node.RunAsync("down")).Done();
        }

        await there.UpAsync();
        await here.UpAsync();
        await Eventually.HoldsAsync(async () => (await PeerOf(here)) is { State: "disconnected", ProblemCode: "AM0185" }, "it is left alone", Minute);
        (await here.RunAsync("@there", "calc", "1")).Refused("AM0304");
        (await here.RunAsync("ping", "there")).Refused("AM0304", "auto-connect is off");
        (await here.RunAsync("connect", "@there")).Refused();

        (await there.RunAsync("config", "set", "link.incoming", "known")).Done();
        Assert.Contains("connected to there", (await here.RunAsync("connect", "@there")).Done(), StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@there", "calc", "1+1")).Out == "2\n", "what was asked for works", Minute);
        (await there.RunAsync("invite", "--link")).Refused("AM0186");

        // What it does by itself is back with the setting, on a new connection.
        (await there.RunAsync("down")).Done();
        await Eventually.HoldsAsync(async () => (await PeerOf(here)).State == "disconnected", "it is gone", Minute);
        await there.UpAsync();
        (await here.RunAsync("devices", "auto-connect", "there", "default")).Done();
        await Eventually.HoldsAsync(async () => (await PeerOf(here)).State == "connected", "it is dialled again", Minute);
        (await here.RunAsync("config", "set", "listen.port", "1")).Refused("AM0232");
    }

    [Fact]
    public async Task A_device_sends_no_more_than_it_is_allowed_to()
    {
        const long rate = 256 * 1024, bytes = 1_000_000;
        await using TestNode here = await TestNode.StartAsync("here");
        await using TestNode there = await TestNode.StartAsync("there");
        await here.PairWithAsync(there);
        (await there.RunAsync("grant", "here", "run")).Done();
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@there", "calc", "1")).Out == "1\n", "they are linked", Minute);
        (await there.RunAsync("config", "set", "bandwidth.up", "256KiB")).Done();
        Assert.Contains("it sends 256 KiB/s at most", (await there.RunAsync("status")).Out, StringComparison.Ordinal);

        string file = Path.Combine(there.Data, "trace.pcapng");
        using Process tracing = there.Start("trace", file, "--snap", "64");
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(file) && new FileInfo(file).Length > 0), "the trace begins", Minute);
        Ran ran = await here.RunAsync("--timeout", "120s", "run", "@there", "--", "sh", "-c", $"head -c {bytes} /dev/zero | tr '\\0' x");
        Assert.True(ran.Code == 0, ran.Error);
        Assert.Equal(bytes, ran.Out.Length);
        Shell.Signal(tracing.Id, "INT");
        await tracing.WaitForExitAsync();

        // The bound is for what may wait. What may not is little beside it: here a tenth, and what goes at once.
        TracedDatagram[] sent = [.. TracedDatagrams.Read(file).Where(datagram => datagram.Port == there.Port)];
        long all = sent.Sum(datagram => (long)datagram.Bytes);
        output.WriteLine($"{all} bytes in {sent.Length} datagrams within {(sent[^1].At - sent[0].At).TotalSeconds:0.00} s");
        Assert.True(all > bytes, $"{all} bytes were seen");
        for (int first = 0; first < sent.Length; first += 50)
        {
            long sum = 0;
            for (int last = first; last < sent.Length; last++)
            {
                sum += sent[last].Bytes;
                double allowed = 256 * 1024 + (1.1 * rate * (sent[last].At - sent[first].At).TotalSeconds);
                Assert.True(sum <= allowed, $"{sum} bytes within {(sent[last].At - sent[first].At).TotalSeconds:0.000} s");
            }
        }
    }

    [Fact]
    public async Task A_device_receives_no_more_than_it_allows()
    {
        const int bytes = 1_000_000;
        await using TestNode here = await TestNode.StartAsync("here");
        await using TestNode there = await TestNode.StartAsync("there");
        await here.PairWithAsync(there);
        (await there.RunAsync("grant", "here", "run")).Done();
        (await here.RunAsync("config", "set", "bandwidth.down", "256KiB")).Done();
        Assert.Contains("it receives 256 KiB/s at most", (await here.RunAsync("status")).Out, StringComparison.Ordinal);

        // Before the restart its connection was allowed a megabyte already.
        (await here.RunAsync("down")).Done();
        await here.UpAsync();
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@there", "calc", "1")).Out == "1\n", "they are linked", Minute);
        TimeSpan limited = await TransferAsync();
        (await here.RunAsync("config", "unset", "bandwidth.down")).Done();
        TimeSpan free = await TransferAsync();

        // A quarter of a second's worth comes at once, and so does what was saved up.
        output.WriteLine($"{bytes} bytes within {limited.TotalSeconds:0.00} s, without a limit within {free.TotalSeconds:0.00} s");
        Assert.True(limited.TotalSeconds >= ((double)bytes / (256 * 1024)) - 0.6, $"{bytes} bytes within {limited.TotalSeconds:0.00} s");

        async Task<TimeSpan> TransferAsync()
        {
            var clock = Stopwatch.StartNew();
            Ran ran = await here.RunAsync("--timeout", "120s", "run", "@there", "--", "sh", "-c", $"head -c {bytes} /dev/zero | tr '\\0' x");
            Assert.True(ran.Code == 0, ran.Error);
            Assert.Equal(bytes, ran.Out.Length);
            return clock.Elapsed;
        }
    }

    private static async Task<PeerView> PeerOf(TestNode node) => (await node.PeersAsync()).Single(peer => !peer.IsLocal);
}
