using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;

namespace AgentMesh.Mesh.Tests.Grants;

public sealed class GrantTests
{
    [Theory]
    [InlineData("run", "run")]
    [InlineData(" RUN ", "run")]
    [InlineData("Run:Train.sh", "run:Train.sh")]
    [InlineData("run:/opt/lab/train run.sh", "run:/opt/lab/train run.sh")]
    [InlineData("dir:/data", "dir:/data")]
    [InlineData("dir:/", "dir:/")]
    [InlineData("Read:/home/me/venv", "read:/home/me/venv")]
    [InlineData("read:venv", null)]
    [InlineData("command:Calc", "command:calc")]
    [InlineData("command:*", "command:*")]
    [InlineData("logs", "logs")]
    [InlineData("introduce", "introduce")]
    [InlineData("Admin", "admin")]
    [InlineData("admin:Read", "admin:read")]
    [InlineData("admin:", null)]
    [InlineData("admin:write", null)]
    [InlineData("admin:reads", null)]
    [InlineData("", null)]
    [InlineData("calc", null)]
    [InlineData("run:", null)]
    [InlineData("run:bin/train", null)]
    [InlineData("run:/opt/../bin/sh", null)]
    [InlineData("run:/opt//train", null)]
    [InlineData("run:a\nb", null)]
    [InlineData("dir:data", null)]
    [InlineData("dir:/data/", null)]
    [InlineData("dir:/data/.", null)]
    [InlineData("command:System Status", "command:system status")]
    [InlineData("command:a  b", null)]
    [InlineData("command:a/b", null)]
    [InlineData("model:big", null)]
    public void A_grant_is_a_word_or_a_kind_and_a_value(string text, string? grant)
    {
        Assert.Equal(grant, Grant.Read(text));
        if (grant is null)
        {
            Assert.Equal("AM0332", Assert.Throws<MeshException>(() => Grant.Check(["run", text])).Code);
        }
    }

    [Theory]
    [InlineData("", AdministrationRight.None)]
    [InlineData("run logs introduce command:* run:admin dir:/admin", AdministrationRight.None)]
    [InlineData("admin:read", AdministrationRight.Read)]
    [InlineData("admin", AdministrationRight.All)]
    [InlineData("admin admin:read", AdministrationRight.All)]
    public void Nobody_administers_without_a_grant_of_that_name(string grants, AdministrationRight right) => Assert.Equal(right, AdministrationRights.Of(Set(grants)));

    [Fact]
    public void Grants_of_one_device_are_bounded()
    {
        string longest = "run:" + new string('x', Grant.CharactersMax - 4);
        Assert.Equal(longest, Grant.Read(longest));
        Assert.Null(Grant.Read(longest + "x"));

        string[] many = [.. Enumerable.Range(0, Grant.CountMax + 1).Select(number => $"command:c{number}")];
        Assert.Equal(Grant.CountMax, Grant.Check(many.Skip(1)).Count);
        Assert.Equal("AM0332", Assert.Throws<MeshException>(() => Grant.Check(many)).Code);

        string[] wide = [.. Enumerable.Range(0, 10).Select(number => $"run:{number}" + new string('\u20ac', 59))];
        Assert.Equal("AM0332", Assert.Throws<MeshException>(() => Grant.Check(wide)).Code);
    }

    [Theory]
    [InlineData("", "sh", "start programs", "run")]
    [InlineData("dir:/data command:*", "sh", "start programs", "run")]
    [InlineData("run", "sh", null, null)]
    [InlineData("run:train", "train", null, null)]
    [InlineData("run:train", "Train", "start 'Train'", "run:Train")]
    [InlineData("run:train", "/usr/bin/train", "start '/usr/bin/train'", "run:/usr/bin/train")]
    [InlineData("run:train", "./train", "start './train'", "run")]
    [InlineData("run:/opt/train", "/opt/train", null, null)]
    public void A_program_needs_run_or_a_grant_of_its_own(string grants, string program, string? deed, string? missing) =>
        Check(grants, new WantedCommand(program, null), deed, missing);

    [Theory]
    [InlineData("run", null, null)]
    [InlineData("run:env", "set variables for its programs", "run")]
    public void Variables_make_another_program_of_one_that_is_allowed(string grants, string? deed, string? missing) =>
        Check(grants, new WantedCommand("env", null) { HasVariables = true }, deed, missing);

    [Theory]
    [InlineData("run", null, null)]
    [InlineData("run:shell", "open a shell", "run")]
    [InlineData("", "start programs", "run")]
    public void A_shell_needs_every_program(string grants, string? deed, string? missing) =>
        Check(grants, new WantedCommand("shell", null) { IsShell = true }, deed, missing);

    [Theory]
    [InlineData("run", "/etc", null, null)]
    [InlineData("run:make dir:/data", "/data", null, null)]
    [InlineData("run:make dir:/data", "/data/a/b", null, null)]
    [InlineData("run:make dir:/", "/etc", null, null)]
    [InlineData("run:make dir:/data", "/database", "have its programs begin in /database", "dir:/database")]
    [InlineData("run:make", "/etc", "have its programs begin in /etc", "dir:/etc")]
    public void One_program_begins_only_where_that_was_granted(string grants, string directory, string? deed, string? missing) =>
        Check(grants, new WantedCommand("make", null) { Directory = () => directory }, deed, missing);

    [Fact]
    public void Where_something_is_nobody_learns_who_may_not_start_anything_there() =>
        Check("run:make", new WantedCommand("sh", null) { Directory = () => throw new InvalidOperationException("looked") }, "start 'sh'", "run:sh");

    [Theory]
    [InlineData("", "calc", "use 'calc'", "command:calc")]
    [InlineData("run logs", "calc", "use 'calc'", "command:calc")]
    [InlineData("command:calc", "Calc", null, null)]
    [InlineData("command:*", "calc", null, null)]
    [InlineData("", "system status", "use 'system status'", "command:system status")]
    [InlineData("command:system status", "system status", null, null)]
    [InlineData("", "odd/name", "use 'odd/name'", "command:*")]
    public void Where_commands_need_a_grant_a_handler_needs_its_own(string grants, string handler, string? deed, string? missing)
    {
        var wanted = new WantedCommand(null, handler);
        Check(grants, wanted, deed, missing);
        Assert.Null(new CommandGrants(Set(grants), commandsNeedGrant: false).Missing(wanted));
    }

    private static void Check(string grants, WantedCommand wanted, string? deed, string? missing) =>
        Assert.Equal(deed is null ? null : new MissingGrant(deed, missing!), new CommandGrants(Set(grants), commandsNeedGrant: true).Missing(wanted));

    private static ImmutableSortedSet<string> Set(string grants) => Grant.Check(grants == "command:system status" ? [grants] : grants.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
