using System.Collections.Concurrent;

namespace AgentMesh.Tests.Persistence;

/// <summary>What actors reported, in order.</summary>
internal sealed class Log
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly BlockingCollection<string> _lines = [];

    public void Add(string line) => _lines.Add(line);

    public string Next(string awaited) =>
        _lines.TryTake(out string? line, Patience) ? line : throw new TimeoutException($"\"{awaited}\" was not reported");

    /// <summary>Expects exactly these reports next.</summary>
    public void Expect(params string[] lines)
    {
        foreach (string line in lines)
        {
            Assert.Equal(line, Next(line));
        }
    }

    /// <summary>Nothing has been reported that was not expected; use after something that comes last.</summary>
    public void ExpectEmpty() => Assert.False(_lines.TryTake(out string? line), line);
}
