using System.Globalization;
using Scenarios.Harness;

namespace Scenarios;

[Collection(Alone.Name)]
public sealed class NarrowNetworkTests
{
    private const int Lines = 1 << 16;

    [SkippableTheory]
    [InlineData(1280)]
    [InlineData(1124)]
    [InlineData(576)]
    public async Task A_mebibyte_of_output_arrives_whole_over_a_narrow_network(int mtu)
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        cable.Narrow(mtu);
        await using var left = new TestNode("left") { Namespace = cable.Left, Listen = "0.0.0.0" };
        await using var right = new TestNode("right") { Namespace = cable.Right, Listen = "0.0.0.0" };
        await PairAsync(left, right);

        await ExpectMebibyteAsync(left);
    }

    [SkippableFact]
    public async Task A_network_that_swallows_long_packets_all_of_a_sudden_stops_nothing()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using var left = new TestNode("left") { Namespace = cable.Left, Listen = "0.0.0.0" };
        await using var right = new TestNode("right") { Namespace = cable.Right, Listen = "0.0.0.0" };

        // A batch goes through a virtual cable whole, however long its datagrams are.
        File.WriteAllText(Path.Combine(right.Data, "agentmesh.conf"), "agentmesh.udp.offload = off");
        await PairAsync(left, right);
        await ExpectMebibyteAsync(left);

        // The receiving end drops what is longer, and nobody is told.
        cable.NarrowLeft(1124);
        await ExpectMebibyteAsync(left);
    }

    private static async Task PairAsync(TestNode left, TestNode right)
    {
        await left.UpAsync();
        await right.UpAsync();
        await left.PairWithAsync(right);
        Assert.Equal(0, (await right.RunAsync("grant", "left", "run")).Code);
    }

    private static async Task ExpectMebibyteAsync(TestNode left)
    {
        // 65,536 lines of 16 bytes.
        Ran ran = await left.RunAsync("--timeout", "60s", "run", "@right", "--", "sh", "-c", $"seq -f 'line %010.0f' {Lines}");
        Assert.True(ran.Code == 0, ran.Error);
        Assert.Equal(Lines * 16, ran.Out.Length);
        Assert.Equal(string.Concat(Enumerable.Range(1, Lines).Select(line => string.Create(CultureInfo.InvariantCulture, $"line {line:D10}\n"))), ran.Out);
    }
}
