using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Tests;

public sealed class WantedWorkTests
{
    [Fact]
    public void A_program_goes_to_the_devices_of_on()
    {
        WantedWork work = Read("@gpu", ["sh", "-c", "echo a  b"], null);

        Assert.Equal(("@gpu", null), (work.Target, work.Line));
        Assert.Equal(["sh", "-c", "echo a  b"], work.Program);
    }

    [Fact]
    public void Words_that_begin_with_devices_are_a_line_for_them()
    {
        WantedWork work = Read(null, ["@gpu", "calc", "1+2"], null);

        Assert.Equal((null, "@gpu calc 1+2"), (work.Target, work.Line));
        Assert.Empty(work.Program);
    }

    [Theory]
    [InlineData("@gpu", "run", "sh", "-c", "echo a  b")]
    [InlineData("@gpu", "run", "--", "sh", "-c", "echo a  b")]
    public void Behind_run_the_borders_of_arguments_stay(params string[] words)
    {
        WantedWork work = Read(null, words, null);

        Assert.Equal(("@gpu", null), (work.Target, work.Line));
        Assert.Equal(["sh", "-c", "echo a  b"], work.Program);
    }

    [Fact]
    public void An_option_behind_run_is_no_program()
    {
        Assert.Contains("'--env' is no program", Assert.Throws<MeshException>(() => WantedWork.OfLine(["@gpu", "run", "--env", "A=1", "env"])).Message, StringComparison.Ordinal);
        Assert.Equal(["--env"], WantedWork.OfLine(["@gpu", "run", "--", "--env"]).Program);
    }

    [Fact]
    public void A_line_may_name_its_devices_or_on_does()
    {
        Assert.Equal(("@gpu", "calc 1"), (Read("@gpu", [], "calc 1").Target, Read("@gpu", [], "calc 1").Line));
        Assert.Equal("@gpu calc 1", Read(null, null, "@gpu calc 1").Line);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("true", "calc 1")]
    public void Nothing_and_two_things_are_refused(string? word, string? line)
    {
        MeshException error = Assert.Throws<MeshException>(() => Read(null, word is null ? [] : [word], line));
        Assert.Equal((CliErrors.Usage, "a schedule needs either a program or a line"), (error.Code, error.Message));
    }

    [Theory]
    [InlineData("@gpu", null)]
    [InlineData(null, "@gpu calc 1")]
    public void Devices_that_are_named_twice_are_refused(string? word, string? line)
    {
        MeshException error = Assert.Throws<MeshException>(() => Read("@lab", word is null ? [] : [word, "calc"], line));
        Assert.Equal("a schedule names its devices twice, '--on @lab' and '@gpu'", error.Message);
    }

    private static WantedWork Read(string? on, string[]? words, string? line) => WantedWork.Read("a schedule", on, words, line, "it so");
}
