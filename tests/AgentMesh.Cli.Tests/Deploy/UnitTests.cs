using System.CommandLine;

namespace AgentMesh.Cli.Tests.Deploy;

/// <summary>The units in deploy/systemd, as far as they can be checked without systemd.</summary>
public sealed class UnitTests
{
    [Theory]
    [InlineData("agentmesh.service", "%h/agentmesh/agentmesh", "up")]
    [InlineData("agentmesh-beacon.service", "dotnet /opt/agentmesh/artifacts/cli/agentmesh.dll", "beacon")]
    public void What_is_started_is_a_command_of_this_program(string unit, string program, string verb)
    {
        string command = Assert.Single(Values(unit, "ExecStart"));
        Assert.StartsWith(program + " ", command, StringComparison.Ordinal);
        ParseResult parsed = DeployFiles.Parse(command[program.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(parsed.Errors);
        Assert.Equal(verb, parsed.CommandResult.Command.Name);
    }

    /// <summary>Without netlink the runtime cannot list interfaces, nor hear of changes.</summary>
    [Fact]
    public void A_beacon_may_use_every_address_family_that_it_needs() =>
        Assert.Equal(["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"], Assert.Single(Values("agentmesh-beacon.service", "RestrictAddressFamilies")).Split(' ').Order(StringComparer.Ordinal));

    [Fact]
    public void Stopping_the_unit_of_a_node_leaves_programs_of_jobs_alone() => Assert.Equal(["process"], Values("agentmesh.service", "KillMode"));

    private static string[] Values(string unit, string key) =>
        [.. File.ReadLines(Path.Combine(DeployFiles.Root, "deploy", "systemd", unit)).Where(line => line.StartsWith(key + "=", StringComparison.Ordinal)).Select(line => line[(key.Length + 1)..])];
}
