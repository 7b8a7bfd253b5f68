using Simulation.Engine;

namespace Simulation.Reach;

/// <summary>
/// A scenario of docs/scenarios.md: connections and what is around them in virtual time. Its time is that of the pairs and networks it builds, one after
/// the other or together; everything that is chance comes from <see cref="Seed"/>.
/// </summary>
internal abstract class ReachWorld(int seed, Action<string>? told) : ISimulated
{
    private readonly Dictionary<string, List<double>> _measured = new(StringComparer.Ordinal);

    public ulong Trace { get; private set; } = 14695981039346656037;

    /// <summary>Whatever shows the work: datagrams, or moments at which somebody had to wake up.</summary>
    public long Steps { get; protected set; }

    public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, List<double>> Measured => _measured;

    protected int Seed { get; } = seed;

    protected Action<string>? Told { get; } = told;

    protected Random Random { get; } = new(seed);

    public abstract void Run();

    /// <summary>What the history is compared by, and what a person sees who runs this seed alone.</summary>
    protected void Note(string what)
    {
        foreach (char c in what)
        {
            Trace = (Trace ^ c) * 1099511628211;
        }

        Told?.Invoke(what);
    }

    protected void Count(string what, int by = 1) => Counts[what] = Counts.GetValueOrDefault(what) + by;

    /// <summary>A value of which the percentiles over all seeds are printed and may have a <see cref="Running.Bar"/>.</summary>
    protected void Measure(string what, double value)
    {
        if (!_measured.TryGetValue(what, out List<double>? values))
        {
            _measured.Add(what, values = []);
        }

        values.Add(value);
        Note($"{what}: {value:0.######}");
    }

    /// <summary>As <see cref="Measure(string, double)"/>, of the process and not of the history: memory is never quite the same again.</summary>
    protected void Weigh(string what, double value)
    {
        ulong before = Trace;
        Measure(what, value);
        Trace = before;
    }

    /// <summary>In seconds; what never happened is later than any bar.</summary>
    protected void Measure(string what, TimeSpan? time) => Measure(what, time?.TotalSeconds ?? double.PositiveInfinity);

    protected static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    protected static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new RuleBrokenException(what);
        }
    }

    protected bool Chance(double share) => Random.NextDouble() < share;

    protected TimeSpan Between(TimeSpan least, TimeSpan most) => least + ((most - least) * Random.NextDouble());
}
