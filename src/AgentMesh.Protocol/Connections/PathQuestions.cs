using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// Which path is asked when: those beside the one in use now and then while the connection is used, all of them often while there is doubt about the one in use, and what does
/// not answer less and less.
/// </summary>
/// <param name="chooses">This side chooses between direct paths by their round trips, so the one in use is asked together with another one.</param>
internal sealed class PathQuestions(KnownPaths paths, Liveness liveness, IEntropy? entropy, bool chooses)
{
    public static readonly TimeSpan RefreshTime = TimeSpan.FromSeconds(25);
    public static readonly TimeSpan MeasureTime = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan AskAgainMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AskAgainMax = TimeSpan.FromMilliseconds(500);

    private bool _isResting;

    /// <summary>Put since the start.</summary>
    public long Count { get; private set; }

    /// <summary>When <see cref="TryNext"/> has something.</summary>
    public TimeSpan NextAt { get; private set; } = TimeSpan.MaxValue;

    public bool CanAsk => entropy is not null;

    /// <summary>It may be taken instead of the one in use because its round trip is shorter.</summary>
    public bool MayChoose(KnownPath path) => chooses && path.Kind == PathKind.Direct && paths.Active.Kind == PathKind.Direct && !ReferenceEquals(path, paths.Active);

    /// <summary>What has to be asked now.</summary>
    public KnownPath? TryNext(RttEstimator rtt, TimeSpan ackDelayMax, bool isInDoubt, TimeSpan now)
    {
        if (now < NextAt)
        {
            return null;
        }

        foreach (KnownPath path in paths.Each)
        {
            if (path.NextAt <= now && MayAsk(path, isInDoubt, now))
            {
                if (!path.IsAsked)
                {
                    entropy!.Fill(path.Challenge);
                }

                path.Asked(now);
                Count++;
                path.NextAt = now + Distance(path, rtt, ackDelayMax, isInDoubt);
                paths.Active.NextAt = MayChoose(path) && !isInDoubt ? now : paths.Active.NextAt;
                Plan();
                return path;
            }
        }

        Plan();
        return null;
    }

    /// <summary>This one, as soon as may be; the one in use needs no question.</summary>
    public void Ask(KnownPath path, TimeSpan now)
    {
        if (!ReferenceEquals(path, paths.Active))
        {
            path.NextAt = now;
            Plan();
        }
    }

    /// <summary>There is doubt: all of them, the one in use too.</summary>
    public void AskAll(TimeSpan now)
    {
        foreach (KnownPath path in paths.Each)
        {
            path.AskMore();
            path.NextAt = now;
        }

        Plan();
    }

    /// <summary>The connection was not used for long, so nothing was asked; if it is again, there is no telling which paths still work.</summary>
    public void Resume(TimeSpan now)
    {
        if (_isResting && liveness.IsUsed(now))
        {
            _isResting = false;
            foreach (KnownPath path in paths.Each)
            {
                path.NextAt = ReferenceEquals(path, paths.Active) ? TimeSpan.MaxValue : now;
            }

            Plan();
        }
    }

    /// <summary>Another path is in use.</summary>
    /// <param name="left">Not to be asked: its port ends, and a question would only open another one. Null: all are.</param>
    public void Moved(KnownPath? left, TimeSpan now)
    {
        _isResting = false;
        foreach (KnownPath path in paths.Each)
        {
            path.NextAt = ReferenceEquals(path, paths.Active) ? TimeSpan.MaxValue : now + (path.IsFailed ? MeasureTime : RefreshTime);
        }

        if (left is not null)
        {
            left.NextAt = TimeSpan.MaxValue;
        }

        Plan();
    }

    /// <summary>To be called when <see cref="KnownPath.NextAt"/> of any was set.</summary>
    public void Plan()
    {
        NextAt = TimeSpan.MaxValue;
        if (entropy is null)
        {
            return;
        }

        foreach (KnownPath path in paths.Each)
        {
            NextAt = path.NextAt < NextAt ? path.NextAt : NextAt;
        }
    }

    private bool MayAsk(KnownPath path, bool isInDoubt, TimeSpan now)
    {
        bool isIdle = !isInDoubt && !liveness.IsUsed(now);
        if (entropy is null || isIdle || path.Unanswered >= KnownPath.QuestionsMax)
        {
            _isResting |= isIdle;
            path.NextAt = TimeSpan.MaxValue;
            return false;
        }

        return true;
    }

    private static TimeSpan Distance(KnownPath path, RttEstimator rtt, TimeSpan ackDelayMax, bool isInDoubt)
    {
        TimeSpan timeout = rtt.ProbeTimeout(ackDelayMax);
        timeout = timeout < AskAgainMin ? AskAgainMin : timeout;
        return isInDoubt ? (timeout < AskAgainMax ? timeout : AskAgainMax)
            : path.IsFailed || path.Unanswered > 2 ? MeasureTime * (1 << Math.Min(path.Unanswered, 6))
            : AskAgainMax;
    }
}
