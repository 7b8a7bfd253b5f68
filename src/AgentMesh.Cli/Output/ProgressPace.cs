using System.Globalization;
using AgentMesh.Cli.Verbs;

namespace AgentMesh.Cli.Output;

/// <summary>How fast something goes, and when it will be done, judged by the last minute of what it says of itself.</summary>
internal sealed class ProgressPace(TimeProvider time)
{
    private const int SamplesMax = 120;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Before that every estimate is a guess.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    private readonly Queue<(long At, double Fraction)> _samples = [];
    private double _last;

    /// <param name="fraction">Of the whole, 0 to 1; less than before begins anew, as another attempt does.</param>
    public void Add(double fraction)
    {
        if (_samples.Count > 0 && fraction == _last)
        {
            return;
        }

        if (fraction < _last)
        {
            _samples.Clear();
        }

        while (_samples.Count >= SamplesMax || (_samples.Count > 1 && time.GetElapsedTime(_samples.Peek().At) > Window))
        {
            _samples.Dequeue();
        }

        _samples.Enqueue((time.GetTimestamp(), fraction));
        _last = fraction;
    }

    /// <summary>Of the whole in a second, falling while nothing comes; null where it is not known yet.</summary>
    public double? PerSecond => _samples.Count > 1 && time.GetElapsedTime(_samples.Peek().At) is var span && span >= Least ? (_last - _samples.Peek().Fraction) / span.TotalSeconds : null;

    /// <summary>Rate and what is left, as people read them; empty where they are not known yet, and at the end.</summary>
    public string Words
    {
        get
        {
            if (PerSecond is not { } rate || _last >= 1)
            {
                return "";
            }

            double left = (1 - _last) / rate;
            string pace = rate switch
            {
                >= 0.01 => string.Create(CultureInfo.InvariantCulture, $"{rate * 100:0.0} %/s"),
                >= 0.01 / 60 => string.Create(CultureInfo.InvariantCulture, $"{rate * 6_000:0.0} %/min"),
                _ => string.Create(CultureInfo.InvariantCulture, $"{rate * 360_000:0.0} %/h"),
            };
            return $"{pace}, {Durations.Age(TimeSpan.FromSeconds(Math.Min(left, TimeSpan.MaxValue.TotalSeconds / 2)))} left";
        }
    }
}
