using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Transport;

namespace AgentMesh.Node.Reach;

/// <summary>
/// Looks for a direct path to one linked device for as long as a beacon relays. Each round both sides tell each other over the link where they may be now, and probe these
/// addresses at the same moment: the one that was asked waits half a round trip, the one that asked starts when it hears the answer. The connection takes the first path
/// that proves itself and falls back on the relay by itself; this class only asks for rounds, less and less often.
/// </summary>
internal sealed class Puncher(MeshConnection connection, LinkSession session, Func<IReadOnlyList<IPEndPoint>> candidates, Action<MeshPathInfo> changed, TimeProvider time)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(3);

    // Longer than a round of probes over a slow network takes.
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(2);

    // Both sides see that the path is relayed; the one that did not open the connection leaves the first word to the other.
    private static readonly TimeSpan Courtesy = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10)];

    private readonly SemaphoreSlim _poked = new(0, 1);
    private TaskCompletionSource<Punch>? _answer;
    private volatile RelayedReason? _reason;
    private uint _round;
    private volatile int _named;
    private volatile bool _isHurried;
    private long _heardAt = long.MinValue;

    /// <summary>Null on a direct path.</summary>
    public RelayedReason? Reason => connection.Path.IsRelayed ? _reason ?? RelayedReason.Looking : null;

    /// <summary>There is a reason to expect more of a round now than of the last one.</summary>
    public void Hurry()
    {
        _isHurried = true;
        Poke();
    }

    /// <summary>The other side asks or answers.</summary>
    public void Take(Punch punch)
    {
        if (punch.IsAnswer)
        {
            TaskCompletionSource<Punch>? waiting = Volatile.Read(ref _answer);
            if (punch.Round == Volatile.Read(ref _round))
            {
                waiting?.TrySetResult(punch);
            }

            return;
        }

        Volatile.Write(ref _heardAt, time.GetTimestamp());
        session.Say(Say(punch.Round, isAnswer: true));
        IReadOnlyList<IPEndPoint> theirs = AddressesOf(punch);
        _named = theirs.Count;
        connection.Probe(theirs, (connection.Path.RoundTrip ?? TimeSpan.Zero) / 2);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        connection.PathChanged += OnPathChanged;
        try
        {
            bool wasDirect = false, isFirst = true;
            int failed = 0;
            while (true)
            {
                if (!connection.Path.IsRelayed)
                {
                    if (!wasDirect)
                    {
                        changed(connection.Path);
                    }

                    (wasDirect, isFirst) = (true, false);
                    failed = 0;
                    await _poked.WaitAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                }

                if (wasDirect || isFirst)
                {
                    changed(connection.Path);
                }

                isFirst = false;
                _reason = wasDirect ? RelayedReason.Lost : failed == 0 ? RelayedReason.Looking : _reason;
                wasDirect = false;
                if (!connection.IsInitiator && failed == 0 && await WaitAsync(Courtesy, cancellationToken).ConfigureAwait(false))
                {
                    continue;
                }

                failed = await RoundAsync(failed, cancellationToken).ConfigureAwait(false) ? 0 : failed + 1;
                if (failed > 0 && connection.Path.IsRelayed && !_isHurried)
                {
                    await WaitAsync(Waits[Math.Min(failed, Waits.Length) - 1], cancellationToken).ConfigureAwait(false);
                }

                failed = _isHurried ? 0 : failed;
                _isHurried = false;
            }
        }
        finally
        {
            connection.PathChanged -= OnPathChanged;
        }
    }

    /// <returns>True when the path is direct afterwards.</returns>
    private async Task<bool> RoundAsync(int failed, CancellationToken cancellationToken)
    {
        TimeSpan next = Waits[Math.Min(failed, Waits.Length - 1)];
        if (HasJustAsked)
        {
            // The other side's round is as good as one of this side.
            return await EndRoundAsync(_named, next, cancellationToken).ConfigureAwait(false);
        }

        var answer = new TaskCompletionSource<Punch>(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _answer, answer);
        uint round = Interlocked.Increment(ref _round);
        session.Say(Say(round, isAnswer: false));
        await Task.WhenAny(answer.Task, Task.Delay(AnswerWithin, time, cancellationToken)).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (!answer.Task.IsCompletedSuccessfully)
        {
            _reason = RelayedReason.OldDevice;
            return false;
        }

        IReadOnlyList<IPEndPoint> theirs = AddressesOf(await answer.Task.ConfigureAwait(false));
        connection.Probe(theirs, TimeSpan.Zero);
        return await EndRoundAsync(theirs.Count, next, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> EndRoundAsync(int candidates, TimeSpan next, CancellationToken cancellationToken)
    {
        bool isRelayed = await StaysRelayedAsync(cancellationToken).ConfigureAwait(false);
        _reason = isRelayed ? RelayedReason.NoAnswer(candidates, next) : null;
        return !isRelayed;
    }

    private bool HasJustAsked => Volatile.Read(ref _heardAt) is var at && at != long.MinValue && time.GetElapsedTime(at) < RoundTime;

    private async Task<bool> StaysRelayedAsync(CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (connection.Path.IsRelayed && time.GetElapsedTime(start) < RoundTime)
        {
            await WaitAsync(RoundTime - time.GetElapsedTime(start), cancellationToken).ConfigureAwait(false);
        }

        return connection.Path.IsRelayed;
    }

    private Punch PunchOf(uint round, bool isAnswer)
    {
        var punch = new Punch { Round = round, IsAnswer = isAnswer };
        punch.Candidates.Add(candidates().Take(LocalAddresses.Most).Select(address => address.ToString()));
        return punch;
    }

    private Frame Say(uint round, bool isAnswer) => new() { Punch = PunchOf(round, isAnswer) };

    private static IReadOnlyList<IPEndPoint> AddressesOf(Punch punch) => [.. AddressText.ParseAll(punch.Candidates, LocalAddresses.Most)];

    private void OnPathChanged(MeshConnection _) => Poke();

    private void Poke()
    {
        try
        {
            if (_poked.CurrentCount == 0)
            {
                _poked.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Two at once: one is enough.
        }
    }

    /// <returns>True when something happened before the time was over.</returns>
    private async Task<bool> WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(limit > TimeSpan.Zero ? limit : TimeSpan.FromMilliseconds(1), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await _poked.WaitAsync(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
