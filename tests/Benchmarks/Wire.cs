using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Benchmarks;

/// <summary>What lies between both ends of a measurement: loopback, or a pair of virtual Ethernet interfaces with 1,500-byte packets in two network namespaces of this process.</summary>
internal sealed partial class Wire : IDisposable
{
    private readonly string[] _namespaces;

    private Wire(string title, IPAddress near, IPAddress far, params string[] namespaces)
    {
        Title = title;
        Near = near;
        Far = far;
        _namespaces = namespaces;
    }

    public static Wire Loopback { get; } = new("loopback", IPAddress.Loopback, IPAddress.Loopback);

    public string Title { get; }

    public IPAddress Near { get; }

    public IPAddress Far { get; }

    /// <param name="offloads">False: every packet goes through the network stack by itself, as on a network card that does nothing for its owner.</param>
    /// <returns>Null where it cannot be laid; <paramref name="whyNot"/> says why.</returns>
    public static Wire? TryLay(bool offloads, out string whyNot)
    {
        if (!OperatingSystem.IsLinux())
        {
            whyNot = "only Linux has them";
            return null;
        }

        string near = $"amb{Environment.ProcessId}n", far = $"amb{Environment.ProcessId}f";
        var wire = new Wire(offloads ? "veth, 1,500-byte packets, offloads" : "veth, 1,500-byte packets, without offloads (tso, gso, gro off)", IPAddress.Parse("10.215.0.1"), IPAddress.Parse("10.215.0.2"), near, far);
        List<string> steps =
        [
            $"ip netns add {near}",
            $"ip netns add {far}",
            $"ip link add wire netns {near} type veth peer name wire netns {far}",
            $"ip -n {near} addr add {wire.Near}/24 dev wire",
            $"ip -n {far} addr add {wire.Far}/24 dev wire",
            $"ip -n {near} link set wire up",
            $"ip -n {far} link set wire up",
        ];
        if (!offloads)
        {
            steps.AddRange(wire._namespaces.Select(name => $"ip netns exec {name} ethtool -K wire tso off gso off gro off tx-udp-segmentation off"));
        }

        whyNot = steps.Select(Run).FirstOrDefault(said => said.Length > 0) ?? "";
        if (whyNot.Length == 0)
        {
            return wire;
        }

        wire.Dispose();
        return null;
    }

    /// <summary>Sockets that <paramref name="make"/> opens belong to that end; what they do later happens there.</summary>
    public T At<T>(bool near, Func<T> make)
    {
        if (_namespaces.Length == 0)
        {
            return make();
        }

        // A thread keeps to the namespace that it entered; this one ends.
        T made = default!;
        Exception? failed = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (OperatingSystem.IsLinux())
                {
                    Enter(_namespaces[near ? 0 : 1]);
                }

                made = make();
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                failed = error;
            }
        });
        thread.Start();
        thread.Join();
        return failed is null ? made : throw new InvalidOperationException(failed.Message, failed);
    }

    /// <summary>The words that start a program at that end.</summary>
    public string[] Command(bool near, params string[] words) =>
        _namespaces.Length == 0 ? words : ["ip", "netns", "exec", _namespaces[near ? 0 : 1], .. words];

    public void Dispose()
    {
        foreach (string name in _namespaces)
        {
            Run($"ip netns del {name}");
        }
    }

    [SupportedOSPlatform("linux")]
    private static void Enter(string name)
    {
        const int networkNamespace = 0x40000000;
        using SafeFileHandle handle = File.OpenHandle("/run/netns/" + name);
        if (setns(handle, networkNamespace) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <returns>Nothing, or why it failed.</returns>
    private static string Run(string command)
    {
        string[] words = command.Split(' ');
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(words[0], words[1..]) { RedirectStandardError = true, UseShellExecute = false })!;
            string said = process.StandardError.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? "" : $"{command}: {said}";
        }
        catch (Win32Exception error)
        {
            return $"{words[0]}: {error.Message}";
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle handle, int kind);
}
