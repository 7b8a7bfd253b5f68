using System.Text;
using AgentMesh.Node.Input;

namespace AgentMesh.Node.Tests.Input;

public sealed class TypedInputTests
{
    private readonly TypedInput _input = new();

    [Fact]
    public async Task Is_read_from_where_the_program_is_also_after_an_earlier_sender()
    {
        await Write("abc");
        _input.Begin(100);
        Assert.Equal("abc", await Read(100));
        Assert.Equal(103, _input.Length);
    }

    [Fact]
    public async Task A_new_connection_gets_again_what_was_not_acknowledged()
    {
        _input.Begin(0);
        await Write("abcdef");
        Assert.Equal("abcdef", await Read(0));
        _input.Acknowledge(2);
        _input.Begin(4);
        Assert.Equal("ef", await Read(4));
    }

    [Fact]
    public async Task A_writer_that_is_ahead_by_the_bound_waits_for_acknowledgements()
    {
        _input.Begin(0);
        Task<bool> writing = _input.WriteAsync(new byte[TypedInput.BytesMax + 5], CancellationToken.None).AsTask();
        Assert.False(writing.IsCompleted);
        _input.Acknowledge(5);
        Assert.True(await writing);
        Assert.Equal(TypedInput.BytesMax + 5, _input.Length);
    }

    [Fact]
    public async Task A_program_that_takes_no_more_ends_the_waiting()
    {
        Task<bool> writing = _input.WriteAsync(new byte[TypedInput.BytesMax + 5], CancellationToken.None).AsTask();
        _input.Close();
        Assert.False(await writing);
        Assert.True(_input.Closed.IsCompleted);
    }

    [Theory]
    [InlineData(InputFrameKind.Data, 12, 5, true)]
    [InlineData(InputFrameKind.End, 12, 0, true)]
    [InlineData(InputFrameKind.End, 12, 1, false)]
    [InlineData(InputFrameKind.Data, -1, 5, false)]
    [InlineData(InputFrameKind.Data, 0, InputFrame.DataBytesMax + 1, false)]
    [InlineData((InputFrameKind)0, 0, 0, false)]
    [InlineData(InputFrameKind.Leave, 12, 0, true)]
    [InlineData((InputFrameKind)10, 0, 0, false)]
    internal void Frames_are_read_back_and_others_are_none(InputFrameKind kind, long offset, int length, bool isFrame)
    {
        byte[] header = new byte[InputFrame.HeaderBytes];
        var frame = new InputFrame(kind, offset, length);
        frame.Write(header);
        Assert.Equal(isFrame, InputFrame.TryRead(header, out InputFrame read));
        Assert.True(!isFrame || read == frame);
    }

    private ValueTask<bool> Write(string text) => _input.WriteAsync(Encoding.UTF8.GetBytes(text), CancellationToken.None);

    private async Task<string> Read(long offset)
    {
        byte[] buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, await _input.ReadAsync(offset, buffer, CancellationToken.None));
    }
}
