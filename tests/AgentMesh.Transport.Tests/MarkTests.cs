using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using AgentMesh.Protocol.Packets;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport.Tests;

/// <summary>The bits of ECN on their way through a real kernel.</summary>
public sealed class MarkTests
{
    private const int NewNetwork = 0x4000_0000;

    [SkippableTheory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task What_a_datagram_asks_of_queues_arrives_with_it_alone_and_in_batches(string address)
    {
        Skip.If(address.Contains(':') && !Socket.OSSupportsIPv6, "no IPv6 here");
        using UdpSocket from = UdpSocket.Bind(new IPEndPoint(IPAddress.Parse(address), 0), 1 << 20), to = UdpSocket.Bind(new IPEndPoint(IPAddress.Parse(address), 0), 1 << 20);
        Skip.IfNot(from.Info.CarriesMarks && to.Info.CarriesMarks, "the marks of datagrams cannot be set and read on this system");

        foreach (EcnCodepoint ecn in (EcnCodepoint[])[EcnCodepoint.Ect0, EcnCodepoint.NotEct, EcnCodepoint.Ect1, EcnCodepoint.Ce])
        {
            foreach (int count in (int[])[1, 20])
            {
                Task<List<(int Length, EcnCodepoint Ecn)>> receiving = Task.Run(() => Receive(to, count));
                Assert.Equal(SendOutcome.Sent, from.Send(new byte[count * 1200], 1200, to.Local.Serialize(), ecn));
                Assert.Equal(Enumerable.Repeat((1200, ecn), count), await receiving.WaitAsync(EndpointPair.Patience));
            }
        }
    }

    [Fact]
    public void Without_batches_there_are_no_marks()
    {
        using UdpSocket socket = UdpSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), 1 << 20, offload: false);
        Assert.False(socket.Info.CarriesMarks);
    }

    [SkippableFact]
    public async Task Packets_ask_for_marks_once_the_path_was_tried()
    {
        await using var pair = new EndpointPair();
        Skip.IfNot(pair.A.Endpoint.Sockets[0].CarriesMarks, "the marks of datagrams cannot be set and read on this system");
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        await SendAsync(a, b, 1 << 20);
        Assert.Equal(("on", (0UL, 0UL)), (a.Paths[0].Ecn, a.Paths[0].Marked));
    }

    [Fact]
    public async Task A_side_that_does_not_want_marks_is_left_in_peace()
    {
        var settings = new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)], Connection = new() { Ecn = false } };
        await using var a = new TestDevice();
        await using var b = new TestDevice(settings: settings);
        a.Admit(b);
        b.Admit(a);
        IMeshConnection dialled = await a.ConnectAsync(b), accepted = await b.AcceptAsync();
        await SendAsync(dialled, accepted, 1 << 20);
        Assert.Equal(("off", "off"), (dialled.Paths[0].Ecn, accepted.Paths[0].Ecn));
    }

    [SkippableTheory]
    [InlineData("ip ecn ect0 numgen inc mod 50 0 ip ecn set ce", "on", 1)] // a queue that marks
    [InlineData("ip ecn ect0 ip ecn set not-ect", "off", 0)] // a box that clears
    [InlineData("ip ecn ect0 drop", "off", 0)] // a box that drops
    [InlineData("ip ecn ect0 ip ecn set ce", "off", 1)] // a box that marks everything
    public async Task A_network_that_marks_clears_or_drops_is_found_out_and_used(string rule, string expected, int marksMin)
    {
        EndpointPair? pair = null;
        Exception? error = null;
        var inside = new Thread(() => error = Record.Exception(() =>
        {
            // The sockets stay in the network in which they are opened, and the network goes with them and this thread.
            Skip.If(unshare(NewNetwork) != 0, "no network of its own: needs to be root on Linux");
            Run("ip", "link", "set", "lo", "up");
            Run("nft", "add table ip box; add chain ip box out { type filter hook output priority 0; }; add rule ip box out meta l4proto udp " + rule);
            pair = new EndpointPair();
        }));
        Skip.IfNot(OperatingSystem.IsLinux(), "Linux only");
        inside.Start();
        inside.Join();
        if (error is not null)
        {
            throw error;
        }

        await using EndpointPair both = pair!;
        (IMeshConnection a, IMeshConnection b) = await both.ConnectAsync();
        await SendAsync(a, b, 8 << 20);
        MeshPathState path = a.Paths[0];
        Assert.Equal(expected, path.Ecn);
        Assert.InRange(path.Marked!.Value.Sent, (ulong)marksMin, marksMin == 0 ? 0UL : ulong.MaxValue);
        Assert.InRange(b.Paths[0].Marked!.Value.Received, path.Marked.Value.Sent, ulong.MaxValue);
    }

    private static async Task SendAsync(IMeshConnection from, IMeshConnection to, int bytes)
    {
        IMeshStream ours = await from.OpenStreamAsync(StreamPriority.Bulk, CancellationToken.None);
        Task sending = Task.Run(async () =>
        {
            await ours.WriteAsync(new byte[bytes], CancellationToken.None);
            await ours.CompleteWritesAsync();
        });
        IMeshStream theirs = (await to.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(EndpointPair.Patience))!;
        Assert.Equal(bytes, (await theirs.ReadToEndAsync().WaitAsync(EndpointPair.Patience)).Length);
        await sending;
    }

    private static List<(int Length, EcnCodepoint Ecn)> Receive(UdpSocket socket, int count)
    {
        var received = new List<(int, EcnCodepoint)>();
        using DatagramReceiver receiver = socket.NewReceiver();
        while (received.Count < count && receiver.TryReceive(out int messages))
        {
            for (int i = 0; i < messages; i++)
            {
                ArrivedDatagrams arrived = receiver.Get(i);
                for (int at = 0; at < arrived.Bytes.Length; at += arrived.DatagramBytes)
                {
                    received.Add((Math.Min(arrived.DatagramBytes, arrived.Bytes.Length - at), arrived.Ecn));
                }
            }
        }

        return received;
    }

    private static void Run(string program, params string[] arguments)
    {
        Process? process = null;
        try
        {
            process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true });
            string problem = process!.StandardError.ReadToEnd();
            process.WaitForExit();
            Skip.If(process.ExitCode != 0, $"{program} {string.Join(' ', arguments)}: {problem}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Skip.If(true, $"no {program} here");
        }
        finally
        {
            process?.Dispose();
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int unshare(int flags);
}
