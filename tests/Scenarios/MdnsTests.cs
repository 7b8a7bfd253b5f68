using System.Diagnostics;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery.Mdns;
using AgentMesh.Protocol.Identity;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Devices and avahi on a cable without internet, each end with processes of its own.</summary>
public sealed class MdnsTests(ITestOutputHelper output)
{
    // Nothing but mDNS: their other announcements go to ports at which the other does not listen.
    private const string MdnsOnly = "discovery.lan.port = ";

    [SkippableFact]
    public async Task Two_devices_that_both_moved_while_they_were_off_find_each_other_by_mDNS_alone()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using TestNode left = NodeIn(cable.Left, "left", MdnsOnly + 15001), right = NodeIn(cable.Right, "right", MdnsOnly + 15002);
        await MoveWhileOffAsync(cable, left, right);
        var watch = Stopwatch.StartNew();
        await right.UpAsync();
        await left.UpAsync();
        await Eventually.HoldsAsync(async () => (await left.RunAsync("--timeout", "5s", "@right", "calc", "6*7")).Out == "42\n", "they work together again");
        output.WriteLine($"together again after {watch.Elapsed.TotalSeconds:0.0} s");
    }

    [SkippableFact]
    public async Task Avahi_sees_a_device_and_a_device_finds_another_that_avahi_speaks_for()
    {
        Skip.IfNot(Avahi.IsHere(out string missing), missing);
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");

        // The right device says nothing itself; avahi beside it does.
        await using TestNode left = NodeIn(cable.Left, "left", "discovery.announce-name = on"), right = NodeIn(cable.Right, "right", "discovery.lan.enabled = off");
        await MoveWhileOffAsync(cable, left, right);
        await using Avahi? avahi = await Avahi.TryStartAsync(cable.Right);
        Skip.If(avahi is null, "avahi-daemon does not start in a network namespace here");
        await left.UpAsync();
        await right.UpAsync();

        string instance = InstanceOf(left);
        string seen = "";
        await Eventually.HoldsAsync(async () => (seen = await avahi.RunAsync("avahi-browse", "-r", "-t", "-p", "_agentmesh._udp")).Contains($";{instance};_agentmesh._udp;local;agentmesh-{instance}.local;10.213.0.77;{left.Port};", StringComparison.Ordinal), "avahi sees the device");
        output.WriteLine(seen);
        Assert.Contains("\"v=1\"", seen, StringComparison.Ordinal);
        Assert.Contains("\"n=left\"", seen, StringComparison.Ordinal);
        Assert.NotEqual("42\n", (await left.RunAsync("--timeout", "3s", "@right", "calc", "6*7")).Out);

        Process publishing = avahi.Start("avahi-publish", "-s", InstanceOf(right), "_agentmesh._udp", $"{right.Port}", "v=1");
        var watch = Stopwatch.StartNew();
        await Eventually.HoldsAsync(async () => (await left.RunAsync("--timeout", "5s", "@right", "calc", "6*7")).Out == "42\n", "the device finds the other one through avahi");
        output.WriteLine($"found through avahi after {watch.Elapsed.TotalSeconds:0.0} s");
        publishing.Kill();

        Assert.Equal(0, (await left.RunAsync("down")).Code);
        await Eventually.HoldsAsync(async () => !(await avahi.RunAsync("avahi-browse", "-t", "-p", "_agentmesh._udp")).Contains(instance, StringComparison.Ordinal), "avahi has heard the goodbye");
    }

    private static string InstanceOf(TestNode node) =>
        MdnsNames.InstanceOf(IdentityFile.LoadOrCreate(node.Data, SystemEntropy.Instance).PublicKey, MdnsNames.DayOf(TimeProvider.System.GetUtcNow()));

    private static TestNode NodeIn(string networkNamespace, string name, string settings)
    {
        var node = new TestNode(name) { Namespace = networkNamespace, Listen = "0.0.0.0" };
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {settings} }}");
        return node;
    }

    private static async Task MoveWhileOffAsync(Cable cable, TestNode left, TestNode right)
    {
        await left.UpAsync();
        await right.UpAsync();
        await left.PairWithAsync(right);
        await Eventually.HoldsAsync(async () => (await left.RunAsync("@right", "calc", "6*7")).Out == "42\n", "they work together");
        Assert.Equal(0, (await left.RunAsync("down")).Code);
        Assert.Equal(0, (await right.RunAsync("down")).Code);
        cable.MoveBoth("10.213.0.77", "10.213.0.88");
    }
}
