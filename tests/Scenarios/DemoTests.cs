using System.Globalization;
using System.Text.RegularExpressions;
using Scenarios.Harness;

namespace Scenarios;

[Collection(Alone.Name)]
public sealed class DemoTests(DemoRun demo) : IClassFixture<DemoRun>
{
    private static readonly string[] TextsSent = ["calc 1+2", "line 150", "uname", "1267650600228229401496703205376", "gpu-box", "laptop", "demo-1"];

    [Fact]
    public void The_demo_passes()
    {
        string last = demo.Result.Out.TrimEnd('\n').Split('\n')[^1];
        Match checks = Regex.Match(last, @"^demo: (\d+) checks passed$", RegexOptions.None, TimeSpan.FromSeconds(1));
        Assert.True(demo.Result.Code == 0 && checks.Success && int.Parse(checks.Groups[1].Value, CultureInfo.InvariantCulture) >= 12, demo.Result.ToString());
    }

    [SkippableFact]
    public void Behind_NATs_a_relayed_path_becomes_direct_and_may_be_lost_in_mid_transfer()
    {
        string? leftOut = demo.Result.Out.Split('\n').FirstOrDefault(line => line.Contains("left out: ", StringComparison.Ordinal));
        Skip.If(leftOut is not null, leftOut);

        Assert.Contains("the path was relayed first and is direct now", demo.Result.Out, StringComparison.Ordinal);
        Assert.Contains("not a byte is lost", demo.Result.Out, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_capture_of_its_traffic_holds_none_of_the_texts_sent()
    {
        Skip.If(demo.WhyNoCapture is not null, demo.WhyNoCapture);
        PacketCapture packets = demo.Packets!;
        Assert.True(packets.Bytes > 100_000, $"the capture holds only {packets.Bytes} bytes");
        Assert.Empty(packets.Find(TextsSent));
    }
}
