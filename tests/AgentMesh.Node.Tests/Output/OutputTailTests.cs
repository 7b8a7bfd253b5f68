using System.Text;
using AgentMesh.Journal;
using AgentMesh.Node.Output;

namespace AgentMesh.Node.Tests.Output;

public sealed class OutputTailTests : IDisposable
{
    private static readonly OutputAddress Address = new("job/a/b", 1, OutputStreamKind.Stdout);

    private readonly string _directory = Directory.CreateTempSubdirectory("am-tail-").FullName;
    private readonly OutputStore _store;

    public OutputTailTests() => _store = OutputStore.Open(new OutputStoreSettings { Directory = _directory }, TimeProvider.System);

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("one\ntwo\nthree\n", 1, "three\n")]
    [InlineData("one\ntwo\nthree\n", 2, "two\nthree\n")]
    [InlineData("one\ntwo\nthree", 1, "three")]
    [InlineData("one\ntwo\nthree", 9, "one\ntwo\nthree")]
    [InlineData("one\n\n", 1, "\n")]
    [InlineData("one\n", 0, "")]
    [InlineData("", 3, "")]
    public async Task The_last_lines_are_found(string text, int lines, string tail)
    {
        await WriteAsync(text);
        Assert.Equal(tail, text[(int)await OutputTail.OffsetOfAsync(_store, Address, lines, CancellationToken.None)..]);
    }

    [Fact]
    public async Task Lines_are_found_across_pieces()
    {
        string text = string.Concat(Enumerable.Range(1, 40_000).Select(i => $"line {i}\n"));
        await WriteAsync(text);
        Assert.Equal(string.Concat(Enumerable.Range(20_001, 20_000).Select(i => $"line {i}\n")), text[(int)await OutputTail.OffsetOfAsync(_store, Address, 20_000, CancellationToken.None)..]);
    }

    private async Task WriteAsync(string text)
    {
        await _store.StartAttemptAsync("job/a/b", 1);
        if (text.Length > 0)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            for (int at = 0; at < bytes.Length; at += 100_000)
            {
                await _store.AppendAsync(Address, at, bytes.AsMemory(at, Math.Min(100_000, bytes.Length - at)));
            }
        }
    }
}
