using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;
using AgentMesh.Shim.Confine;
using AgentMesh.Workers.Fences;

namespace AgentMesh.Workers.Tests.Fences;

/// <summary>Which places are open to a program that is locked in, for directories that are made for the test.</summary>
public sealed class ProgramFenceTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("am-fence-").FullName;

    [Fact]
    public void What_was_granted_is_open_with_the_program_and_its_own_directories()
    {
        Make("data", "venv", "work", "reports", "node");
        File.WriteAllText(In("train.sh"), "");
        Assert.Equal(
            [$"x{In("train.sh")}", $"x{In("venv")}", $"w{In("data")}", $"w{In("work")}", $"p{In("reports")}"],
            Places(new Confinement([In("data")], [In("venv")], [In("data")]), In("train.sh")));
    }

    [Fact]
    public void The_system_is_open_but_for_what_the_node_keeps_there()
    {
        Make("opt/tool", "opt/mesh/data", "opt/mesh/bin", "work", "reports");
        Directory.CreateSymbolicLink(In("opt/way"), In("opt/mesh/data"));
        Place[] system = [new(PlaceKind.Execute, In("opt")), new(PlaceKind.Device, "/dev/null"), new(PlaceKind.Execute, In("opt/mesh/data/below"))];
        string[] expected = [$"x{In("opt/mesh/bin")}", $"x{In("opt/tool")}", "d/dev/null", "x/usr/bin/env", $"w{In("work")}", $"p{In("reports")}"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Places(new Confinement([], [], []), "/usr/bin/env", system, In("opt/mesh/data")).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("dir:", "", true)]
    [InlineData("dir:", "home", true)]
    [InlineData("dir:", "home/node", true)]
    [InlineData("dir:", "home/node/work", true)]
    [InlineData("dir:", "home/link", true)]
    [InlineData("dir:", "home/program", true)]
    [InlineData("dir:", "home/program/bin", true)]
    [InlineData("dir:", "home/nodes", false)]
    [InlineData("dir:", "home/other", false)]
    [InlineData("read:", "home", true)]
    [InlineData("read:", "home/node/work", true)]
    [InlineData("read:", "home/program", false)]
    [InlineData("read:", "home/other", false)]
    [InlineData("read:", "home/not-there", false)]
    public void A_grant_that_reaches_the_node_is_refused(string kind, string path, bool isRefused)
    {
        Make("home/node/work", "home/nodes", "home/other", "home/program/bin", "work", "reports");
        Directory.CreateSymbolicLink(In("home/link"), In("home/node"));
        var fence = new ProgramFence(new NodePlaces([In("home/node")], [In("home/program")]), Able, []);
        string value = path.Length == 0 ? "/" : In(path);
        var confinement = Confinement.Of([kind + value], []);
        if (isRefused)
        {
            MeshException refused = Assert.Throws<MeshException>(() => fence.Check(confinement));
            Assert.Equal("AM0178", refused.Code);
            Assert.Contains($"'{kind}{value}'", refused.Message, StringComparison.Ordinal);
            Assert.Throws<MeshException>(() => fence.For(confinement, "/usr/bin/env", In("work"), In("reports")));
        }
        else
        {
            fence.Check(confinement);
        }
    }

    [Fact]
    public void A_link_that_a_program_may_have_made_opens_nothing()
    {
        Make("data/sub", "secret", "elsewhere", "work", "reports");
        Directory.CreateSymbolicLink(In("data/venv"), In("secret"));
        Directory.CreateSymbolicLink(In("data/sub/train"), In("secret"));
        Directory.CreateSymbolicLink(In("way"), In("elsewhere"));
        Directory.CreateSymbolicLink(In("alias"), In("data"));

        // Where the links are made by the owner of the device they count; in a directory that any device's programs write to they do not.
        Assert.Equal([$"x{In("elsewhere")}", $"x{In("secret")}"], Opened([In("way"), In("data/venv")], In("other"), []));
        Assert.Equal([$"x{In("elsewhere")}"], Opened([In("way"), In("data/venv")], In("data/sub/train"), [In("data")]));
        Assert.Equal([$"x{In("elsewhere")}"], Opened([In("way"), In("alias/venv")], In("data/sub/train"), [In("alias")]));
        Assert.Equal([$"x{In("data/sub")}"], Opened([In("data/sub")], In("data/sub/train"), [In("data")]));
    }

    [Fact]
    public void Without_the_help_of_the_kernel_nothing_is_started()
    {
        var fence = new ProgramFence(new NodePlaces([], []), () => new KernelSupport(0, "no Landlock"), []);
        MeshException refused = Assert.Throws<MeshException>(() => fence.CheckKernel("gpu"));
        Assert.Equal("AM0177", refused.Code);
        Assert.Contains("gpu cannot lock the program in, and does not start it otherwise: no Landlock", refused.Message, StringComparison.Ordinal);
        Assert.Contains("agentmesh.grants.confine = off", refused.NextStep!, StringComparison.Ordinal);
        new ProgramFence(new NodePlaces([], []), Able, []).CheckKernel("gpu");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static KernelSupport Able() => new(6, null);

    private string[] Opened(IReadOnlyList<string> readable, string program, IReadOnlyList<string> changeable) =>
        [.. Places(new Confinement([], readable, changeable), program).Where(place => place[0] == 'x' && place != $"x{In("other")}")];

    private string[] Places(Confinement confinement, string program, IEnumerable<Place>? system = null, params string[] secret) =>
        [.. new ProgramFence(new NodePlaces(secret, []), Able, system ?? []).For(confinement, program, In("work"), In("reports")).Select(place => (char)place.Kind + place.Path)];

    private string In(string path) => Path.Combine(_root, path);

    private void Make(params string[] directories)
    {
        foreach (string directory in directories)
        {
            Directory.CreateDirectory(In(directory));
        }
    }
}
