using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>Submits an array, shows how it goes, and what became of its elements.</summary>
internal sealed class ArrayRun(Session session, ControlClient client)
{
    /// <summary>Elements in a table for a person; of more only those that did not complete.</summary>
    private const int ShownMax = 50;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly LiveLines? _live = session.Terminal.Live;

    /// <returns>0 when every element completed, 1 when one did not.</returns>
    public async Task<int> ExecuteAsync(ArrayRequest request, bool detach, CancellationToken cancel)
    {
        ArrayView array = await client.PostAsync("v1/arrays", request, ControlJson.Default.ArrayRequest, ControlJson.Default.ArrayView, cancel).ConfigureAwait(false);
        if (detach)
        {
            session.Terminal.Answer(array, ControlJson.Default.ArrayView, array.ShortId);
            return 0;
        }

        session.Terminal.Hint($"{array.ShortId}: {array.Count} elements{(array.Target.Length > 0 ? $" on {array.Target}" : "")}");
        try
        {
            array = await FollowAsync(array, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            _live?.Erase();
            session.Terminal.Hint($"it goes on: 'agentmesh job show {array.ShortId}' shows it, 'agentmesh job cancel {array.ShortId}' ends it");
            throw;
        }

        await ShowAsync(array, failed: false, ShownMax, cancel).ConfigureAwait(false);
        return array.State == "completed" ? 0 : 1;
    }

    /// <param name="failed">Only the elements that ended and did not complete.</param>
    /// <param name="limit">Elements at most.</param>
    public async Task ShowAsync(ArrayView array, bool failed, int limit, CancellationToken cancel)
    {
        bool onlyFailed = failed || (!session.Terminal.Json && array.Count > limit);
        var elements = new List<ArrayElementView>();
        int? from = 0;
        while (from is { } at && elements.Count < limit)
        {
            ArrayElementPage page = await client.GetAsync(
                string.Create(CultureInfo.InvariantCulture, $"v1/array/elements?id={Uri.EscapeDataString(array.Id)}&from={at}&limit={Math.Min(1_000, limit - elements.Count)}&failed={(onlyFailed ? "true" : "false")}"),
                ControlJson.Default.ArrayElementPage,
                cancel).ConfigureAwait(false);
            elements.AddRange(page.Elements);
            from = page.Next;
        }

        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(new ArrayReport(array, elements), ControlJson.Default.ArrayReport);
            return;
        }

        if (elements.Count > 0)
        {
            Table(elements);
        }

        TimeSpan took = (array.EndedAt ?? TimeProvider.System.GetUtcNow()) - array.CreatedAt;
        session.Terminal.Out.WriteLine($"{array.ShortId} {array.State}: {Counts(array)}; {Durations.Seconds(took)}");
        if (array.Reason is { } reason)
        {
            session.Terminal.Out.WriteLine($"waiting   {reason}");
        }

        ToldLines.WriteEnd(session.Terminal.Out, array.Notify, array.NotifyOn, array.Delivery);
        if (onlyFailed && !failed && elements.Count > 0)
        {
            session.Terminal.Hint($"only those that did not complete are listed; 'agentmesh job show {array.ShortId} --limit {array.Count}' lists all");
        }
    }

    public static string Counts(ArrayView array)
    {
        (int Count, string What)[] parts = [(array.Completed, "completed"), (array.Failed, "failed"), (array.Cancelled, "cancelled"), (array.Running, "running"), (array.Waiting, "waiting")];
        return $"{string.Join(", ", parts.Where(part => part.Count > 0).Select(part => $"{part.Count} {part.What}"))} of {array.Count}";
    }

    private async Task<ArrayView> FollowAsync(ArrayView array, CancellationToken cancel)
    {
        long start = TimeProvider.System.GetTimestamp();
        string? told = null;
        var pace = new ProgressPace(TimeProvider.System);
        while (array.EndedAt is null)
        {
            string? reason = array.Running == 0 ? array.Reason : null;
            if (_live is not null)
            {
                double over = (double)(array.Count - array.Waiting - array.Running) / Math.Max(1, array.Count);
                pace.Add(over);
                string[] parts = [ProgressBar.Of(over, session.Terminal.HasColours), Counts(array), pace.Words, Durations.Seconds(TimeProvider.System.GetElapsedTime(start)), reason is null ? "" : $"waiting: {reason}"];
                _live.Draw(string.Join("  ", parts.Where(part => part.Length > 0)));
            }
            else if (reason is not null && reason != told)
            {
                told = reason;
                session.Terminal.Hint($"waiting: {reason}");
            }

            if (session.Timeout is { } limit && TimeProvider.System.GetElapsedTime(start) >= limit)
            {
                _live?.Erase();
                throw new MeshException(
                    MeshErrors.NoAnswer,
                    $"array {array.ShortId} was not done within {limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s: {Counts(array)}",
                    $"it goes on: 'agentmesh job show {array.ShortId}' shows it, 'agentmesh job cancel {array.ShortId}' ends it");
            }

            await Task.Delay(LookEvery, TimeProvider.System, cancel).ConfigureAwait(false);
            array = await client.GetAsync($"v1/array?id={Uri.EscapeDataString(array.Id)}", ControlJson.Default.ArrayView, cancel).ConfigureAwait(false);
        }

        _live?.Erase();
        return array;
    }

    private void Table(IEnumerable<ArrayElementView> elements) => session.Terminal.Table(
        ["#", "PARAMETERS", "ON", "STATE", "EXIT", "TOOK", "RESULT"],
        elements.Select(element => (IReadOnlyList<string>)
        [
            element.Number.ToString(CultureInfo.InvariantCulture),
            element.Parameters,
            element.Device ?? "-",
            element.State,
            element.ExitCode?.ToString(CultureInfo.InvariantCulture) ?? "-",
            element is { BeganAt: { } began, EndedAt: { } ended } ? Durations.Seconds(ended - began) : "-",
            element.Problem is { } problem ? $"{problem.Code}: {problem.Message.Split('\n')[0]}" : element.Result ?? "",
        ]));
}
