using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

public sealed class PathLinesTests
{
    [Fact]
    public void Each_path_is_a_row_with_what_is_known_of_it()
    {
        PeerView peer = new(1, "gpu", "id", false, "connected", "10.0.0.2:14590", "direct", 1, 0.02, null, null, null, null, true, [], [], null, [])
        {
            Paths =
            [
                new PathView("in-doubt", "direct", "10.0.0.2:14590", null, 1.24, 0.021, 1452, 61_000, 100, 0) { PortSilenceMs = 9_000, PortAgeMs = 60_000 },
                new PathView("backup", "relay", null, "b:14592", 80, null, null, null, 25_000, 2),
            ],
        };

        Assert.Equal(
            [
                ["gpu", "in doubt", "direct", "10.0.0.2:14590", "1.2 ms", "2.1 %", "1452 B", "61 s", "0 s ago", "after 9 s of silence, at 60 s"],
                ["gpu", "backup", "relay via b:14592", "-", "80.0 ms", "-", "-", "-", "25 s ago", "-"],
            ],
            PathLines.Rows([peer, peer with { Paths = null }]));
    }

    [Theory]
    [InlineData(9_400d, null, "after 9 s of silence")]
    [InlineData(null, 60_000d, "at 60 s")]
    public void What_was_learned_of_ports_stands_behind_the_path_in_use(double? silence, double? age, string text)
    {
        PeerView peer = new(1, "gpu", "id", false, "connected", null, null, null, null, null, null, null, null, true, [], [], null, [])
        {
            Paths = [new PathView("in-use", "direct", "10.0.0.2:14590", null, null, null, null, null, null, 0) { PortSilenceMs = silence, PortAgeMs = age }],
        };

        Assert.Equal(text, Assert.Single(PathLines.Rows([peer]))[^1]);
    }

    [Theory]
    [InlineData(2, 1, 0, 3, 0, 0, "2 direct, 1 relayed; beside them 3 that can take over")]
    [InlineData(2, 1, 1, 0, 2, 1, "2 direct, 1 relayed, 1 in doubt; beside them 0 that can take over, 2 untried, 1 failed")]
    public void The_sum_of_all_paths_is_a_line(int direct, int relayed, int doubt, int backups, int untried, int failed, string line) =>
        Assert.Equal(line, PathLines.Of(new PathSumView(direct, relayed, doubt, backups, untried, failed)));
}
