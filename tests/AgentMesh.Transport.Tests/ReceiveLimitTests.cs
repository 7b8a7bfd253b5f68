using System.Diagnostics;
using System.Net;

namespace AgentMesh.Transport.Tests;

/// <summary>What a device receives in a second, over real sockets: the bound holds however slow the machine is.</summary>
public sealed class ReceiveLimitTests
{
    private const int Rate = 256 * 1024;
    private const int Bytes = 300_000;

    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Two_devices_that_send_at_once_bring_no_more_than_the_rate_together()
    {
        await using var here = new TestDevice(settings: new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)], BytesPerSecondReceivedMax = Rate });
        await using var first = new TestDevice();
        await using var second = new TestDevice();
        var (a, ofA) = await ConnectAsync(first);
        var (b, ofB) = await ConnectAsync(second);
        var clock = Stopwatch.StartNew();
        int[] received = await Task.WhenAll(TransferAsync(a, ofA), TransferAsync(b, ofB)).WaitAsync(EndpointPair.Patience);

        // A quarter of a second's worth for each of the two at once, the bucket, and a tenth for good measure.
        double seconds = clock.Elapsed.TotalSeconds;
        Assert.Equal([Bytes, Bytes], received);
        Assert.True(2 * Bytes <= Rate * (0.6 + (1.1 * seconds)), $"{2 * Bytes} bytes within {seconds:0.00} s");

        here.Endpoint.BytesPerSecondReceivedMax = 0;
        Assert.Equal(Bytes, await TransferAsync(a, ofA).WaitAsync(EndpointPair.Patience));

        async Task<(IMeshConnection From, IMeshConnection To)> ConnectAsync(TestDevice from)
        {
            here.Admit(from);
            from.Admit(here);
            IMeshConnection connection = await from.ConnectAsync(here);
            return (connection, await here.AcceptAsync());
        }
    }

    private static async Task<int> TransferAsync(IMeshConnection from, IMeshConnection to)
    {
        IMeshStream ours = await from.OpenStreamAsync(StreamPriority.Bulk, Never);
        Task written = WriteAsync(ours);
        byte[] read = await (await to.AcceptStreamAsync(Never))!.ReadToEndAsync();
        await written;
        return read.Length;
    }

    private static async Task WriteAsync(IMeshStream stream)
    {
        await stream.WriteAsync(new byte[Bytes], Never);
        await stream.CompleteWritesAsync();
    }
}
