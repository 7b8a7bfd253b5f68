using System.Globalization;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Output;

/// <summary>
/// The jobs that are waited for, in lines below what they write: how far each is, and of several how many are over. Output goes through <see cref="Write"/>, which takes the lines away
/// and puts them back below it. Any thread.
/// </summary>
internal sealed class ForegroundProgress(LiveLines live, bool colour, TimeProvider time)
{
    private const int ShownMax = 8;

    /// <summary>Output that comes faster does not draw the lines each time.</summary>
    private static readonly TimeSpan DrawEvery = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Shown> _jobs = new(StringComparer.Ordinal);
    private int _accepted;
    private int _completed;
    private int _failed;
    private long? _drawn;
    private bool _isWithinLine;

    /// <summary>Those to ask for how far they are.</summary>
    public IReadOnlyList<string> Wanted
    {
        get
        {
            lock (_gate)
            {
                return [.. _jobs.Keys.Take(ShownMax)];
            }
        }
    }

    public void Begin(JobView job)
    {
        lock (_gate)
        {
            _accepted++;
            _jobs[job.Id] = new Shown(job, new ProgressPace(time));
        }
    }

    public void Look(JobView job)
    {
        lock (_gate)
        {
            if (_jobs.TryGetValue(job.Id, out Shown? shown))
            {
                if (job.Progress?.Fraction is { } fraction)
                {
                    shown.Pace.Add(fraction);
                }

                _jobs[job.Id] = shown with { Job = job };
            }
        }
    }

    public void End(JobView job)
    {
        lock (_gate)
        {
            if (_jobs.Remove(job.Id))
            {
                _completed += job.State == "completed" ? 1 : 0;
                _failed += job.State == "completed" ? 0 : 1;
            }
        }
    }

    /// <param name="write">Writes output.</param>
    /// <param name="isLineEnd">Whether the terminal is at the beginning of a line then, elsewhere nothing is drawn below; null where it is as it was.</param>
    public void Write(Action write, bool? isLineEnd)
    {
        lock (_gate)
        {
            live.Erase();
            write();
            _isWithinLine = isLineEnd is { } ends ? !ends : _isWithinLine;
            if (_drawn is { } drawn && time.GetElapsedTime(drawn) >= DrawEvery)
            {
                DrawNow();
            }
        }
    }

    public void Draw()
    {
        lock (_gate)
        {
            DrawNow();
        }
    }

    public void Erase()
    {
        lock (_gate)
        {
            live.Erase();
        }
    }

    private void DrawNow()
    {
        string[] lines = _isWithinLine ? [] : [.. Lines()];
        if (lines.Length == 0)
        {
            live.Erase();
            return;
        }

        live.Draw(lines);
        _drawn = time.GetTimestamp();
    }

    private IEnumerable<string> Lines()
    {
        foreach (Shown each in _jobs.Values.Take(ShownMax))
        {
            if (LineOf(each) is { Length: > 0 } line)
            {
                yield return _accepted > 1 ? $"{each.Job.TargetName}: {line}" : line;
            }
        }

        if (_accepted > 1 && _jobs.Count > 0)
        {
            string failed = _failed > 0 ? string.Create(CultureInfo.InvariantCulture, $", {_failed} failed") : "";
            yield return string.Create(CultureInfo.InvariantCulture, $"{ProgressBar.Of((double)(_completed + _failed) / _accepted, colour)}  {_completed + _failed} of {_accepted} done{failed}, {_jobs.Count} running");
        }
    }

    /// <summary>Empty where it says nothing of itself, and waits for nothing.</summary>
    private string LineOf(Shown shown)
    {
        JobView job = shown.Job;
        if (job.Progress is not { } progress)
        {
            return job.State is "running" || job.Reason is null ? "" : $"{job.State}: {ProgressBar.Plain(job.Reason)}";
        }

        string bar = progress.Fraction is { } fraction ? ProgressBar.Of(fraction, colour) : "";
        return string.Join("  ", ((string[])[bar, shown.Pace.Words, ProgressBar.Plain(progress.Text)]).Where(part => part.Length > 0));
    }

    private sealed record Shown(JobView Job, ProgressPace Pace);
}
