using System.Threading.Channels;
using AgentMesh.Node.Output;

namespace AgentMesh.Node.Tests.Output;

public sealed class LogMergeTests
{
    private readonly Channel<int> _events = Channel.CreateUnbounded<int>(), _output = Channel.CreateUnbounded<int>();

    [Fact]
    public async Task What_has_happened_comes_first_and_the_end_last()
    {
        Put(_events, 1, 2, 99);
        Put(_output, -1, -2);
        _events.Writer.Complete();
        _output.Writer.Complete();
        Assert.Equal([1, 2, -1, -2, 99], await Merge().ToListAsync());
    }

    [Fact]
    public async Task An_end_that_something_follows_is_none()
    {
        Put(_events, 1, 99, 2, 99);
        Put(_output, -1);
        _events.Writer.Complete();
        _output.Writer.Complete();
        Assert.Equal([1, 99, 2, -1, 99], await Merge().ToListAsync());
    }

    [Fact]
    public async Task What_happens_while_output_comes_stands_where_it_happens()
    {
        Put(_events, 1);
        await using IAsyncEnumerator<int> merged = Merge().GetAsyncEnumerator();
        Assert.Equal(1, await Next(merged));
        Put(_output, -1);
        Assert.Equal(-1, await Next(merged));
        Put(_events, 2);
        Assert.Equal(2, await Next(merged));
        Put(_output, -2);
        Assert.Equal(-2, await Next(merged));
        Put(_events, 99);
        _events.Writer.Complete();
        Put(_output, -3);
        Assert.Equal(-3, await Next(merged));
        _output.Writer.Complete();
        Assert.Equal(99, await Next(merged));
        Assert.False(await merged.MoveNextAsync());
    }

    [Fact]
    public async Task A_reader_that_goes_ends_both()
    {
        Put(_events, 1);
        await foreach (int each in Merge())
        {
            Assert.Equal(1, each);
            break;
        }
    }

    [Fact]
    public async Task A_failure_of_one_is_that_of_both()
    {
        _output.Writer.Complete(new IOException("gone"));
        _events.Writer.Complete();
        await Assert.ThrowsAsync<IOException>(async () => await Merge().ToListAsync());
    }

    private static void Put(Channel<int> to, params int[] values) => Assert.All(values, value => Assert.True(to.Writer.TryWrite(value)));

    private static async Task<int> Next(IAsyncEnumerator<int> merged)
    {
        Assert.True(await merged.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        return merged.Current;
    }

    private IAsyncEnumerable<int> Merge() => LogMerge.ReadAsync(cancel => _events.Reader.ReadAllAsync(cancel), cancel => _output.Reader.ReadAllAsync(cancel), each => each == 99, TimeProvider.System, CancellationToken.None);
}
