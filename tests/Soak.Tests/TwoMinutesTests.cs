using System.Globalization;
using Soak.Nodes;
using Soak.Planning;
using Xunit.Abstractions;

namespace Soak.Tests;

/// <summary>The soak itself: real nodes under work and faults, as docs/soak.md says; with connections that are cut where namespaces can be made.</summary>
public sealed class TwoMinutesTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(11)]
    public async Task Five_nodes_lose_and_repeat_nothing_under_faults(int seed)
    {
        if (!OperatingSystem.IsLinux())
        {
            output.WriteLine("signals and process facts are those of Linux: nothing was run");
            return;
        }

        HubNetwork? network = HubNetwork.TryLay(SoakPlan.NodesOfARun, out string whyNot);
        network?.Dispose();
        output.WriteLine(network is null ? $"without cuts: {whyNot}" : "with cuts");
        using var report = new StringWriter(CultureInfo.InvariantCulture);
        int exitCode = await new SoakRun(new SoakOptions(2, seed, 1.5, Network: network is not null, PlanOnly: false, Keep: false), report, CancellationToken.None).RunAsync();

        output.WriteLine(report.ToString());
        Assert.True(exitCode == 0, report.ToString());
    }
}
