using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Tests.Shims;

/// <summary>Why a device has ended an attempt is known to each process of its node, whichever of them hears of the end.</summary>
public sealed class GivenUpTests
{
    private static readonly DeviceId Other = DeviceId.Parse(new string('d', DeviceId.TextLength));
    private static readonly MeshException Revoked = new("AM0150", "the device is gone", "have it run elsewhere");

    [Fact]
    public async Task An_end_for_want_of_input_that_its_node_did_not_live_to_tell_is_told_with_its_reason()
    {
        await using var lab = new ShimLab { InputGrace = TimeSpan.FromMilliseconds(200) };
        Execution run = await lab.Start(ShimLab.Program("cat") with { Input = new JobInput(From: Other) });
        AttemptResult before = await ShimLab.End(run);

        AttemptResult after = await ShimLab.End(await lab.LeaveAndTakeOver());

        Assert.Equal((AttemptOutcome.Failed, WorkerErrors.InputLost), (after.Outcome, after.Problem?.Code));
        Assert.Equal(before.Problem, after.Problem);
    }

    [Fact]
    public async Task A_node_that_was_killed_before_the_program_was_told_has_the_next_one_end_it()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Program("sleep", "300"));
        await lab.Leave();
        GivenUpFile.Write(run.Spool!.Directory, Revoked);

        lab.Up();
        AttemptResult end = await ShimLab.End(Assert.Single(lab.Node.All));

        Assert.Equal((AttemptOutcome.Failed, 143, new Problem("AM0150", "the device is gone", "have it run elsewhere")), (end.Outcome, end.ExitCode, end.Problem));
    }

    [Fact]
    public async Task An_attempt_that_has_ended_by_itself_is_not_given_up_any_more()
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Script("exit 7") with { Caller = new Caller(Other, "desk", "user") });
        await ShimLab.End(run);
        await lab.Node.EndOfAsync(Other, Revoked);

        AttemptResult end = await ShimLab.End(await lab.LeaveAndTakeOver());

        Assert.Equal((AttemptOutcome.Failed, 7, null), (end.Outcome, end.ExitCode, end.Problem));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"Code\":\"AM0150\"}")]
    public async Task A_reason_that_cannot_be_read_is_none(string text)
    {
        await using var lab = new ShimLab();
        Execution run = await lab.Start(ShimLab.Script("exit 7"));
        await ShimLab.End(run);
        await File.WriteAllTextAsync(Path.Combine(run.Spool!.Directory, "given-up"), text);

        AttemptResult end = await ShimLab.End(await lab.LeaveAndTakeOver());

        Assert.Equal((AttemptOutcome.Failed, 7, null), (end.Outcome, end.ExitCode, end.Problem));
    }
}
