using System.Text;
using AgentMesh.Cli.Output;

namespace AgentMesh.Cli.Tests;

public sealed class WholeCharactersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task No_character_is_cut_and_no_byte_is_lost(int piece)
    {
        byte[] text = Encoding.UTF8.GetBytes("a\u00e4\u20ac\U0001F600 z\u00fc");
        var to = new Pieces();
        var whole = new WholeCharacters(to);
        foreach (byte[] part in text.Chunk(piece))
        {
            await whole.WriteAsync(part, CancellationToken.None);
        }

        await whole.FlushAsync(CancellationToken.None);
        Assert.Equal(text, to.All.SelectMany(each => each));
    }

    [Fact]
    public async Task A_begun_character_waits_for_its_rest_and_is_written_at_the_end_at_the_latest()
    {
        var to = new Pieces();
        var whole = new WholeCharacters(to);
        await whole.WriteAsync(new byte[] { (byte)'a', 0xe2, 0x82 }, CancellationToken.None);
        Assert.Equal([(byte)'a'], to.All.SelectMany(each => each));
        await whole.FlushAsync(CancellationToken.None);
        Assert.Equal(new byte[] { (byte)'a', 0xe2, 0x82 }, to.All.SelectMany(each => each));
    }

    [Fact]
    public async Task Characters_that_are_begun_again_and_again_wait_for_nothing()
    {
        var to = new Pieces();
        var whole = new WholeCharacters(to);
        for (int i = 0; i < 9; i++)
        {
            await whole.WriteAsync(new byte[] { 0xf0 }, CancellationToken.None);
            await whole.WriteAsync(new byte[] { 0xf0, 0x9f }, CancellationToken.None);
        }

        Assert.Equal(25, to.All.SelectMany(each => each).Count());
        await whole.FlushAsync(CancellationToken.None);
        Assert.Equal(27, to.All.SelectMany(each => each).Count());
    }

    [Fact]
    public async Task What_is_no_text_passes()
    {
        byte[] noise = new byte[10_000];
        new Random(5).NextBytes(noise);
        var to = new Pieces();
        var whole = new WholeCharacters(to);
        foreach (byte[] part in noise.Chunk(7))
        {
            await whole.WriteAsync(part, CancellationToken.None);
        }

        await whole.FlushAsync(CancellationToken.None);
        Assert.Equal(noise, to.All.SelectMany(each => each));
    }

    private sealed class Pieces : MemoryStream
    {
        public List<byte[]> All { get; } = [];

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            All.Add(buffer.ToArray());
            return ValueTask.CompletedTask;
        }
    }
}
