using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Tests.Jobs;

public sealed class ProgramPlaceTests
{
    [Fact]
    public void A_program_gets_its_variables_and_its_directory()
    {
        JobCommand command = ProgramPlace.Apply(JobCommand.Program("env"), new Dictionary<string, string?> { ["B"] = "two words", ["A"] = "" }, "~/runs");

        Assert.Equal([KeyValuePair.Create("A", ""), KeyValuePair.Create("B", "two words")], command.Environment.ToArray());
        Assert.Equal("~/runs", command.Directory);
        Assert.NotEqual(JobCommand.Program("env"), command);
        Assert.NotEqual(command with { Directory = null }, command);
    }

    [Theory]
    [InlineData("1A", "x", null)]
    [InlineData("A-B", "x", null)]
    [InlineData("", "x", null)]
    [InlineData("AGENTMESH_JOB", "x", null)]
    [InlineData("A", null, null)]
    [InlineData("A", "x\0y", null)]
    [InlineData("A", "x", "")]
    [InlineData("A", "x", "a\0b")]
    public void What_is_no_variable_or_directory_is_refused(string name, string? value, string? directory) =>
        Refused(JobCommand.Program("env"), new Dictionary<string, string?> { [name] = value }, directory);

    [Fact]
    public void Both_are_bounded_and_for_programs_only()
    {
        Refused(JobCommand.Handler("calc 1"), null, "/data");
        Refused(JobCommand.Handler("calc 1"), new Dictionary<string, string?> { ["A"] = "1" }, null);
        Refused(JobCommand.Program("env"), new Dictionary<string, string?> { ["A"] = new('x', ProgramPlace.BytesMax + 1) }, null);
        Refused(JobCommand.Program("env"), null, new string('x', ProgramPlace.BytesMax + 1));
        Refused(JobCommand.Program("env"), Variables(JobCommand.EnvironmentMax + 1, 1), null);
        Refused(JobCommand.Program("env"), Variables(9, ProgramPlace.BytesMax), null);
        Assert.Equal("AM0369", Assert.Throws<MeshException>(() => ProgramPlace.Apply(JobCommand.Program("env"), null, "/data", hasFiles: true)).Code);
        Assert.Single(ProgramPlace.Apply(JobCommand.Program("env"), Variables(1, 1), null, hasFiles: true).Environment);
        Assert.Equal(JobCommand.EnvironmentMax, ProgramPlace.Apply(JobCommand.Program("env"), Variables(JobCommand.EnvironmentMax, 1), null).Environment.Count);
        Assert.Equal(JobCommand.Handler("calc 1"), ProgramPlace.Apply(JobCommand.Handler("calc 1"), null, null));
    }

    private static Dictionary<string, string?> Variables(int count, int length) => Enumerable.Range(0, count).ToDictionary(number => $"V{number}", string? (_) => new string('x', length));

    private static void Refused(JobCommand command, Dictionary<string, string?>? variables, string? directory) =>
        Assert.Equal("AM0369", Assert.Throws<MeshException>(() => ProgramPlace.Apply(command, variables, directory)).Code);
}
