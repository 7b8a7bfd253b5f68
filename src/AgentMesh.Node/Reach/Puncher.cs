using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Protocol.Punching;
using AgentMesh.Transport;
using NatMapping = AgentMesh.Protocol.Punching.NatMapping;
using PunchStep = AgentMesh.Protocol.Punching.PunchStep;

namespace AgentMesh.Node.Reach;

/// <summary>
/// Looks for a direct path to one linked device for as long as a beacon relays. Each round both sides tell each other over the link where they may be now, and probe these
/// addresses at the same moment: the one that was asked waits half a round trip, the one that asked starts when it hears the answer. What a round consists of is chosen by
/// <see cref="PunchLadder"/>; the steps for hard NATs are asked for by the side that opened the connection. The connection takes the first path that proves itself and falls
/// back on the relay by itself; this class only asks for rounds, less and less often.
/// </summary>
internal sealed class Puncher
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(3);

    // Longer than a round of probes takes; two round trips over the relay come on top.
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1);

    // Both sides see that the path is relayed; the one that did not open the connection leaves the first word to the other.
    private static readonly TimeSpan Courtesy = TimeSpan.FromSeconds(1);

    // The survey of a NAT ends soon after the node has started.
    private static readonly TimeSpan ForSurvey = TimeSpan.FromSeconds(1);
    private const int SurveyRounds = 3;

    private static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10)];

    private readonly MeshConnection _connection;
    private readonly LinkSession _session;
    private readonly PunchHelp _help;
    private readonly Action<MeshPathInfo> _changed;
    private readonly TimeProvider _time;
    private readonly PunchAnswers _answers;
    private readonly Poker _poked;
    private TaskCompletionSource<Punch>? _answer;
    private volatile RelayedReason? _reason;
    private volatile NatBehaviour _theirs = NatBehaviour.Unknown;
    private uint _round;
    private volatile bool _isHurried;

    public Puncher(MeshConnection connection, LinkSession session, PunchHelp help, Action<MeshPathInfo> changed, TimeProvider time)
    {
        _connection = connection;
        _session = session;
        _help = help;
        _changed = changed;
        _time = time;
        _answers = new PunchAnswers(connection, session, help, time);
        _poked = new Poker(time);
    }

    /// <summary>Null on a direct path.</summary>
    public RelayedReason? Reason => _connection.Path.IsRelayed ? _answers.Doing ?? _reason ?? RelayedReason.Looking : null;

    /// <summary>What the other side says of its NAT.</summary>
    public NatBehaviour Theirs => _theirs;

    /// <summary>There is a reason to expect more of a round now than of the last one.</summary>
    public void Hurry()
    {
        _isHurried = true;
        _poked.Poke();
    }

    /// <summary>The other side asks or answers.</summary>
    public void Take(Punch punch)
    {
        _theirs = PunchContent.Of(punch.Nat);
        if (!punch.IsAnswer)
        {
            _answers.Take(punch);
        }
        else if (punch.Round == Volatile.Read(ref _round))
        {
            Volatile.Read(ref _answer)?.TrySetResult(punch);
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _connection.PathChanged += OnPathChanged;
        try
        {
            await RunRoundsAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _connection.PathChanged -= OnPathChanged;
            await _answers.EndAsync().ConfigureAwait(false);
        }
    }

    private async Task RunRoundsAsync(CancellationToken cancellationToken)
    {
        bool wasDirect = false, isFirst = true;
        int failed = 0, waited = 0;
        while (true)
        {
            if (!_connection.Path.IsRelayed)
            {
                if (!wasDirect)
                {
                    _changed(_connection.Path);
                }

                (wasDirect, isFirst) = (true, false);
                failed = waited = 0;
                await _poked.WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (wasDirect || isFirst)
            {
                _changed(_connection.Path);
            }

            isFirst = false;
            _reason = wasDirect ? RelayedReason.Lost : failed == 0 ? RelayedReason.Looking : _reason;
            wasDirect = false;
            if (!_connection.IsInitiator && failed == 0 && await _poked.WaitAsync(Courtesy, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            PunchStep step = PunchLadder.Next(_help.Nat(), _theirs, failed);
            if (!await RoundAsync(step, failed, Waits[Math.Min(waited, Waits.Length - 1)], cancellationToken).ConfigureAwait(false) && !_isHurried)
            {
                failed++;
                if (WaitAfter(step, failed, waited) is { } wait)
                {
                    await _poked.WaitAsync(wait, cancellationToken).ConfigureAwait(false);
                    (failed, waited) = wait == ForSurvey ? (failed, waited) : (0, waited + 1);
                }
            }

            (failed, waited) = _isHurried ? (0, 0) : (failed, waited);
            _isHurried = false;
        }
    }

    /// <returns>Null where the next rung follows at once.</returns>
    private TimeSpan? WaitAfter(PunchStep step, int failed, int waited)
    {
        NatBehaviour mine = _help.Nat(), theirs = _theirs;
        PunchStep next = PunchLadder.Next(mine, theirs, failed);
        bool isClimbing = _connection.IsInitiator && step is PunchStep.Plain or PunchStep.Predict && next is PunchStep.Predict or PunchStep.Guess or PunchStep.Open;
        if (isClimbing && !ReferenceEquals(_reason, RelayedReason.OldDevice))
        {
            return null;
        }

        bool isSurveying = failed <= SurveyRounds && (mine.Mapping == NatMapping.Unknown || theirs.Mapping == NatMapping.Unknown) && _help.Outside() is not null && !ReferenceEquals(_reason, RelayedReason.OldDevice);
        if (isSurveying)
        {
            return ForSurvey;
        }

        if (next == PunchStep.None)
        {
            _reason = RelayedReason.HardNats;
        }

        return Waits[Math.Min(waited, Waits.Length - 1)];
    }

    /// <returns>True when the path is direct afterwards.</returns>
    private async Task<bool> RoundAsync(PunchStep step, int failed, TimeSpan next, CancellationToken cancellationToken)
    {
        if (_answers.IsBusy || (step == PunchStep.Plain && _answers.HasJustBegun) || (!_connection.IsInitiator && step is not PunchStep.Plain))
        {
            // The other side's round is as good as one of this side.
            await _answers.EndedAsync(cancellationToken).ConfigureAwait(false);
            return await EndRoundAsync(_answers.Named, next, RoundTime, cancellationToken).ConfigureAwait(false);
        }

        return step switch
        {
            PunchStep.Plain => await PlainAsync(next, cancellationToken).ConfigureAwait(false),
            PunchStep.Predict => await PredictAsync(failed, next, cancellationToken).ConfigureAwait(false),
            PunchStep.Guess or PunchStep.Open => await GuessAsync(step, next, cancellationToken).ConfigureAwait(false),
            _ => !_connection.Path.IsRelayed,
        };
    }

    private async Task<bool> PlainAsync(TimeSpan next, CancellationToken cancellationToken)
    {
        if (await AskAsync(PunchContent.Plain(_help), cancellationToken).ConfigureAwait(false) is not { } answer)
        {
            return false;
        }

        IReadOnlyList<IPEndPoint> theirs = PunchContent.CandidatesOf(answer, _help);
        _connection.Probe(theirs, TimeSpan.Zero);
        if (await EndRoundAsync(theirs.Count, next, RoundTime, cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        _reason = PunchContent.HaveNoFamilyInCommon(_help.Candidates(), theirs) ? RelayedReason.NoCommonFamily : _reason;
        return false;
    }

    private async Task<bool> PredictAsync(int failed, TimeSpan next, CancellationToken cancellationToken)
    {
        _reason = RelayedReason.Predicting;
        if (await _answers.Hard.PredictAsync(1 + ((failed - 1) % 3), cancellationToken).ConfigureAwait(false) is not { } mine
            || await AskAsync(PunchContent.Hard(_help, PunchStep.Predict, mine.Outside, mine.Step), cancellationToken).ConfigureAwait(false) is not { } answer)
        {
            return !_connection.Path.IsRelayed;
        }

        if (answer.Step != Links.Wire.PunchStep.Predict || await _answers.Hard.ConfirmAsync(answer, cancellationToken).ConfigureAwait(false) is not { } theirs)
        {
            _reason = RelayedReason.NotConfirmed;
            await _poked.WaitAsync(RoundTime, cancellationToken).ConfigureAwait(false);
            return !_connection.Path.IsRelayed;
        }

        _answers.Hard.SendPredicted(theirs, answer.PortStep, TimeSpan.Zero);
        return await EndRoundAsync(PortSteps.PredictedMax, next, RoundTime, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> GuessAsync(PunchStep step, TimeSpan next, CancellationToken cancellationToken)
    {
        if (_help.Outside() is not { } outside || !await _help.Guessing.WaitAsync(0, cancellationToken).ConfigureAwait(false))
        {
            _reason = RelayedReason.Busy;
            return !_connection.Path.IsRelayed;
        }

        try
        {
            _reason = RelayedReason.Guessing;
            if (await AskAsync(PunchContent.Hard(_help, step, outside, 0), cancellationToken).ConfigureAwait(false) is not { } answer)
            {
                return !_connection.Path.IsRelayed;
            }

            if (answer.Step == Links.Wire.PunchStep.Busy || await _answers.Hard.ConfirmAsync(answer, cancellationToken).ConfigureAwait(false) is not { } theirs)
            {
                _reason = answer.Step == Links.Wire.PunchStep.Busy ? RelayedReason.Busy : RelayedReason.NotConfirmed;
                return !_connection.Path.IsRelayed;
            }

            await _answers.Hard.RunAsync(step, theirs, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            return await EndRoundAsync(1, next, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _help.Guessing.Release();
        }
    }

    private async Task<Punch?> AskAsync(Punch question, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<Punch>(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _answer, answer);
        question.Round = Interlocked.Increment(ref _round);
        _session.Say(new Frame { Punch = question });
        await Task.WhenAny(answer.Task, Task.Delay(AnswerWithin, _time, cancellationToken)).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (answer.Task.IsCompletedSuccessfully)
        {
            return await answer.Task.ConfigureAwait(false);
        }

        _reason = RelayedReason.OldDevice;
        return null;
    }

    private async Task<bool> EndRoundAsync(int candidates, TimeSpan next, TimeSpan time, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        time += time > TimeSpan.Zero ? 2 * (_connection.Path.RoundTrip ?? TimeSpan.Zero) : TimeSpan.Zero;
        while (_connection.Path.IsRelayed && _time.GetElapsedTime(start) < time)
        {
            await _poked.WaitAsync(time - _time.GetElapsedTime(start), cancellationToken).ConfigureAwait(false);
        }

        bool isRelayed = _connection.Path.IsRelayed;
        _reason = isRelayed ? RelayedReason.NoAnswer(candidates, next) : null;
        return !isRelayed;
    }

    private void OnPathChanged(MeshConnection _) => _poked.Poke();
}
