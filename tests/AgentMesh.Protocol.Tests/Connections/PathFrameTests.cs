using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;

namespace AgentMesh.Protocol.Tests.Connections;

public class PathFrameTests
{
    [Fact]
    public void A_question_is_answered_with_its_bytes_and_counts_as_no_use_of_the_connection()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Path(FrameType.PathChallenge, "12345678"u8));
        Assert.Equal("12345678"u8.ToArray(), Assert.Single(puppet.Frames, f => f.Type == FrameType.PathResponse).Data);
        Assert.Equal(0, puppet.Target.Path.Loss.PacketsInFlight);
    }

    [Fact]
    public void An_answer_to_nothing_is_ignored()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Path(FrameType.PathResponse, "12345678"u8));
        Assert.True(puppet.Target.IsOpen);
        Assert.DoesNotContain(puppet.Frames, f => f.Type is FrameType.PathResponse or FrameType.PathChallenge);
    }

    [Fact]
    public void Many_questions_in_one_packet_get_one_answer()
    {
        using var puppet = new Puppet();
        puppet.Send([.. Enumerable.Range(0, 100).Select(_ => FrameBytes.Path(FrameType.PathChallenge, "12345678"u8))]);
        Assert.Single(puppet.Frames, f => f.Type == FrameType.PathResponse);
    }

    [Fact]
    public void A_truncated_one_closes_the_connection()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Path(FrameType.PathChallenge, "1234567"u8));
        Assert.Equal(CloseCodes.FrameEncoding, puppet.Target.End.Code);
    }
}
