using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Journal.Tests.Output;

/// <summary>The contract of an output store; what a new implementation must pass.</summary>
public abstract class OutputStoreSpec : IDisposable
{
    private protected const string Job = "job/HOME/01ARZ3NDEKTSV4RRFFQ69G5FAV";
    private static readonly OutputAddress Out1 = new(Job, 1, OutputStreamKind.Stdout);
    private static readonly OutputAddress Err1 = new(Job, 1, OutputStreamKind.Stderr);
    private static readonly OutputAddress Out2 = new(Job, 2, OutputStreamKind.Stdout);

    private protected abstract IOutputStore Store { get; }

    /// <summary>Closes the store and opens it again on the same data.</summary>
    private protected abstract void Reopen();

    public abstract void Dispose();

    [SkippableFact]
    public async Task Reads_back_what_was_acknowledged()
    {
        Assert.Equal(new OutputAppendResult(OutputAppendStatus.Acknowledged, 5), await Append(Out1, 0, "hello"));
        await Append(Err1, 0, "oops");
        await Append(Out1, 5, " world");
        Assert.Equal("hello world", await Text(Out1));
        Assert.Equal("oops", await Text(Err1));
        Reopen();
        Assert.Equal("hello world", await Text(Out1));
        Assert.Equal("oops", await Text(Err1));
    }

    [SkippableTheory]
    [InlineData(0, 5, "01234")]
    [InlineData(7, 100, "789")]
    [InlineData(10, 5, "")]
    [InlineData(99, 5, "")]
    [InlineData(3, 0, "")]
    public async Task Reads_from_an_offset_at_most_so_much(long offset, int max, string expected)
    {
        foreach (char c in "0123456789")
        {
            await Append(Out1, c - '0', c.ToString());
            await Append(Err1, c - '0', "e");
        }

        OutputSlice slice = await Store.ReadAsync(Out1, offset, max);
        Assert.Equal(expected, Encoding.UTF8.GetString(slice.Data.Span));
        Assert.Equal((offset, 10L), (slice.Offset, slice.State.Length));
    }

    [SkippableFact]
    public async Task Ignores_what_is_stored_already()
    {
        await Append(Out1, 0, "abcdef");
        Assert.Equal(new OutputAppendResult(OutputAppendStatus.Acknowledged, 6), await Append(Out1, 0, "abcdef"));
        Assert.Equal(new OutputAppendResult(OutputAppendStatus.Acknowledged, 6), await Append(Out1, 2, "cd"));
        Assert.Equal(new OutputAppendResult(OutputAppendStatus.Acknowledged, 8), await Append(Out1, 4, "efgh"));
        Assert.Equal("abcdefgh", await Text(Out1));
    }

    [SkippableFact]
    public async Task Refuses_a_gap_and_says_where_to_go_on()
    {
        await Append(Out1, 0, "abc");
        Assert.Equal(new OutputAppendResult(OutputAppendStatus.Gap, 3), await Append(Out1, 4, "x"));
        Assert.Equal(new OutputAppendResult(OutputAppendStatus.Gap, 0), await Append(Err1, 1, "x"));
        Assert.Equal("abc", await Text(Out1));
    }

    [SkippableFact]
    public async Task Refuses_output_of_an_older_attempt()
    {
        await Append(Out1, 0, "old");
        await Append(Out2, 0, "new");
        Assert.Equal(OutputAppendStatus.OlderAttempt, (await Append(Out1, 3, "late")).Status);
        Reopen();
        Assert.Equal(OutputAppendStatus.OlderAttempt, (await Append(Out1, 3, "late")).Status);
        Assert.Equal("old", await Text(Out1));
        Assert.Equal("new", await Text(Out2));
    }

    [SkippableFact]
    public async Task A_started_attempt_fences_older_ones_before_it_writes()
    {
        await Append(Out1, 0, "old");
        Assert.Equal(OutputAppendStatus.Acknowledged, await Store.StartAttemptAsync(Job, 2));
        Assert.Equal(OutputAppendStatus.Acknowledged, await Store.StartAttemptAsync(Job, 2));
        Reopen();
        Assert.Equal(OutputAppendStatus.OlderAttempt, (await Append(Out1, 3, "late")).Status);
        Assert.Equal(OutputAppendStatus.OlderAttempt, await Store.StartAttemptAsync(Job, 1));
        Assert.Equal(2, (await State(Out2)).CurrentAttempt);
    }

    [SkippableFact]
    public async Task Final_lengths_complete_a_stream_and_bound_it()
    {
        await Append(Out1, 0, "abc");
        Assert.Null((await State(Out1)).FinalLength);
        Assert.Equal(OutputAppendStatus.Acknowledged, await Store.SetFinalLengthsAsync(Job, 1, Lengths(5)));
        Assert.False((await State(Out1)).IsComplete);
        Assert.True((await State(Err1)).IsComplete);
        Assert.Equal(OutputAppendStatus.BeyondFinalLength, (await Append(Out1, 3, "defg")).Status);
        await Append(Out1, 3, "de");
        Reopen();
        Assert.True((await State(Out1)).IsComplete);
        Assert.Equal(OutputAppendStatus.Acknowledged, await Store.SetFinalLengthsAsync(Job, 1, Lengths(5)));
        Assert.Equal(OutputAppendStatus.BeyondFinalLength, await Store.SetFinalLengthsAsync(Job, 1, Lengths(6)));
    }

    [SkippableFact]
    public async Task Final_lengths_below_what_is_stored_are_refused()
    {
        await Append(Out1, 0, "abc");
        Assert.Equal(OutputAppendStatus.BeyondFinalLength, await Store.SetFinalLengthsAsync(Job, 1, Lengths(2)));
        Assert.Equal(OutputAppendStatus.Acknowledged, await Store.SetFinalLengthsAsync(Job, 1, Lengths(3)));
    }

    [SkippableFact]
    public async Task A_waiting_reader_is_woken_by_the_append_even_before_the_job_has_any_output()
    {
        Task<OutputState> waiting = Store.WaitForLengthAsync(Out1, 0, default);
        Assert.False(waiting.IsCompleted);
        await Append(Out1, 0, "abc");
        Assert.Equal(3, (await waiting.WaitAsync(TimeSpan.FromMinutes(2))).Length);

        waiting = Store.WaitForLengthAsync(Out1, 3, default);
        Assert.False(waiting.IsCompleted);
        await Store.SetFinalLengthsAsync(Job, 1, Lengths(3));
        Assert.True((await waiting.WaitAsync(TimeSpan.FromMinutes(2))).IsComplete);
    }

    [SkippableFact]
    public async Task A_waiting_reader_is_woken_by_a_newer_attempt_and_by_its_token()
    {
        await Append(Out1, 0, "abc");
        Task<OutputState> waiting = Store.WaitForLengthAsync(Out1, 3, default);
        using CancellationTokenSource cancellation = new();
        Task<OutputState> cancelled = Store.WaitForLengthAsync(Out2, 0, cancellation.Token);
        await Store.StartAttemptAsync(Job, 2);
        Assert.Equal(2, (await waiting.WaitAsync(TimeSpan.FromMinutes(2))).CurrentAttempt);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }

    [SkippableFact]
    public async Task Large_appends_come_back_whole_from_any_offset()
    {
        byte[] data = new byte[3_000_001];
        new Random(7).NextBytes(data);
        Task<OutputAppendResult> first = Store.AppendAsync(Out1, 0, data.AsMemory(0, 1_000_000));
        Task<OutputAppendResult> noise = Store.AppendAsync(Err1, 0, data.AsMemory(0, 700_000));
        Task<OutputAppendResult> rest = Store.AppendAsync(Out1, 1_000_000, data.AsMemory(1_000_000));
        await Task.WhenAll(first, noise, rest);
        Reopen();
        foreach (int offset in (int[])[0, 1, 262_143, 262_144, 999_999, 1_000_000, 2_999_999])
        {
            int count = Math.Min(400_000, data.Length - offset);
            Assert.True((await Store.ReadAsync(Out1, offset, count)).Data.Span.SequenceEqual(data.AsSpan(offset, count)), $"offset {offset}");
        }
    }

    [SkippableFact]
    public async Task Many_jobs_append_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 300).Select(async i =>
        {
            OutputAddress address = new($"job/h/{i}", 1, OutputStreamKind.Stdout);
            for (int n = 0; n < 5; n++)
            {
                Assert.Equal(OutputAppendStatus.Acknowledged, (await Append(address, n, (n % 10).ToString(System.Globalization.CultureInfo.InvariantCulture))).Status);
            }
        }));
        for (int i = 0; i < 300; i++)
        {
            Assert.Equal("01234", await Text(new OutputAddress($"job/h/{i}", 1, OutputStreamKind.Stdout)));
        }
    }

    [SkippableFact]
    public async Task Delete_removes_everything_of_the_job()
    {
        await Append(Out1, 0, "abc");
        await Store.DeleteAsync(Job);
        Assert.Equal(default, await State(Out1));
        Assert.Equal(OutputAppendStatus.Acknowledged, (await Append(Out1, 0, "again")).Status);
        Assert.Equal("again", await Text(Out1));
    }

    private protected Task<OutputAppendResult> Append(OutputAddress address, long offset, string text) =>
        Store.AppendAsync(address, offset, Encoding.UTF8.GetBytes(text));

    private protected async Task<string> Text(OutputAddress address) => Encoding.UTF8.GetString((await Store.ReadAsync(address, 0, 1_000_000)).Data.Span);

    private async Task<OutputState> State(OutputAddress address) => (await Store.ReadAsync(address, 0, 0)).State;

    private protected static Dictionary<OutputStreamKind, long> Lengths(long stdout) => new() { [OutputStreamKind.Stdout] = stdout };

    private protected static async Task FailsWith(string code, Func<Task> action) => Assert.Equal(code, (await Assert.ThrowsAsync<MeshException>(action)).Code);
}
