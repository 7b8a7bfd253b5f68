using AgentMesh.Cli.Doctor;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests.Doctor;

public sealed class MemoryChecksTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly MemoryView Memory = new(
        3, 5, 7, Now.AddMinutes(-2), Now.AddDays(-3), 1, 2, [new RememberedNameView("beacon.example.org", ["203.0.113.10"], Now.AddHours(-4), InUse: false)], []);

    [Fact]
    public void What_is_remembered_is_told_with_its_age()
    {
        DoctorCheck check = Assert.Single(MemoryChecks.Of(Memory, Now));

        Assert.Equal(
            ("memory", "ok", "3 devices at 5 addresses that worked (2 min to 3 d ago), 7 more said; 1 device that relayed to 2; beacon.example.org at 203.0.113.10 (4 h ago)"),
            (check.Name, check.Result, check.Finding));
        Assert.Equal(
            "no device at an address that worked, 0 more said; no relay; no name",
            Assert.Single(MemoryChecks.Of(new MemoryView(0, 0, 0, null, null, 0, 0, [], []), Now)).Finding);
    }

    [Fact]
    public void A_damaged_file_warns_with_its_code_and_where_it_is_now()
    {
        DoctorCheck check = Assert.Single(MemoryChecks.Of(Memory with { Damaged = [new DamagedFileView("devices.json", 2, "/data/devices.json.damaged")] }, Now));

        Assert.Equal(("memory", "warn", "AM0187"), (check.Name, check.Result, check.Code));
        Assert.StartsWith("2 entries of devices.json could not be read at the start of the node and are forgotten; left: 3 devices", check.Finding, StringComparison.Ordinal);
        Assert.EndsWith("/data/devices.json.damaged", check.Next, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_is_not_resolved_warns_and_says_what_is_used()
    {
        DoctorCheck[] checks = [.. MemoryChecks.Of(Memory with { Names = [Memory.Names[0] with { InUse = true }] }, Now)];

        Assert.Equal(("name beacon.example.org", "warn", "AM0188"), (checks[1].Name, checks[1].Result, checks[1].Code));
        Assert.Contains("4 h ago is used, 203.0.113.10", checks[1].Finding, StringComparison.Ordinal);
        Assert.Contains("getent hosts beacon.example.org", checks[1].Next, StringComparison.Ordinal);
    }
}
