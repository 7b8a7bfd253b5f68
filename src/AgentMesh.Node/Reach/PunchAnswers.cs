using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Protocol.Punching;
using AgentMesh.Transport;
using PunchStep = AgentMesh.Protocol.Punching.PunchStep;

namespace AgentMesh.Node.Reach;

/// <summary>This device's part in the rounds that the other side asks for. One at a time; a further question of a hard round is answered with "busy".</summary>
internal sealed class PunchAnswers(MeshConnection connection, LinkSession session, PunchHelp help, TimeProvider time)
{
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private volatile RelayedReason? _doing;
    private volatile int _named;
    private long _heardAt = long.MinValue;

    /// <summary>What goes on because the other side asked; null while nothing does.</summary>
    public RelayedReason? Doing => _doing;

    /// <summary>The steps for hard NATs.</summary>
    public HardRound Hard { get; } = new(connection, help, time);

    /// <summary>A round for hard NATs goes on.</summary>
    public bool IsBusy => _doing is not null;

    /// <summary>Addresses that the other side named last.</summary>
    public int Named => _named;

    public bool HasJustBegun => Volatile.Read(ref _heardAt) is var at && at != long.MinValue && time.GetElapsedTime(at) < RoundTime;

    public void Take(Punch question)
    {
        if (PunchContent.Of(question.Step) is not { } step)
        {
            return; // of a later version
        }

        if (step == PunchStep.Plain)
        {
            Volatile.Write(ref _heardAt, time.GetTimestamp());
            Say(question, PunchContent.Plain(help));
            IReadOnlyList<IPEndPoint> theirs = PunchContent.CandidatesOf(question, help);
            _named = theirs.Count;
            connection.Probe(theirs, HalfRoundTrip);
            return;
        }

        lock (_gate)
        {
            if (!_running.IsCompleted || _stop.IsCancellationRequested)
            {
                Say(question, PunchContent.Busy(help));
                return;
            }

            _doing = step == PunchStep.Predict ? RelayedReason.Predicting : RelayedReason.Guessing;
            _running = Task.Run(() => AnswerAsync(question, PunchLadder.Counterpart(step), _stop.Token));
        }
    }

    /// <summary>Waits for the end of a hard round that goes on.</summary>
    public async Task EndedAsync(CancellationToken cancellationToken)
    {
        Task running;
        lock (_gate)
        {
            running = _running;
        }

        await running.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The link is gone.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await EndedAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private TimeSpan HalfRoundTrip => (connection.Path.RoundTrip ?? TimeSpan.Zero) / 2;

    private async Task AnswerAsync(Punch question, PunchStep step, CancellationToken cancellationToken)
    {
        try
        {
            if (step == PunchStep.Predict)
            {
                await PredictAsync(question, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await GuessAsync(question, step, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The link ended.
        }
        finally
        {
            _doing = null;
        }
    }

    private async Task PredictAsync(Punch question, CancellationToken cancellationToken)
    {
        Task<IPEndPoint?> confirming = Hard.ConfirmAsync(question, cancellationToken);
        if (await Hard.PredictAsync(1, cancellationToken).ConfigureAwait(false) is not { } mine || await confirming.ConfigureAwait(false) is not { } theirs)
        {
            Say(question, PunchContent.Busy(help));
            return;
        }

        Say(question, PunchContent.Hard(help, PunchStep.Predict, mine.Outside, mine.Step));
        Hard.SendPredicted(theirs, question.PortStep, HalfRoundTrip);
        await Task.Delay(HalfRoundTrip + TimeSpan.FromMilliseconds(500), time, cancellationToken).ConfigureAwait(false);
    }

    private async Task GuessAsync(Punch question, PunchStep step, CancellationToken cancellationToken)
    {
        if (help.Outside() is not { } outside || !await help.Guessing.WaitAsync(0, cancellationToken).ConfigureAwait(false))
        {
            Say(question, PunchContent.Busy(help));
            return;
        }

        try
        {
            IPEndPoint? theirs = await Hard.ConfirmAsync(question, cancellationToken).ConfigureAwait(false);
            Say(question, theirs is null ? PunchContent.Busy(help) : PunchContent.Hard(help, step, outside, 0));
            if (theirs is not null)
            {
                await Hard.RunAsync(step, theirs, HalfRoundTrip, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            help.Guessing.Release();
        }
    }

    private void Say(Punch question, Punch answer)
    {
        answer.Round = question.Round;
        answer.IsAnswer = true;
        session.Say(new Frame { Punch = answer });
    }
}
