using Akka.Configuration;

namespace Akka.Actor.Internal;

/// <summary>A step of a coordinated shutdown.</summary>
/// <param name="Recover">Goes on after a failure or a time-out.</param>
internal sealed record ShutdownPhase(string Name, IReadOnlyList<string> DependsOn, TimeSpan Timeout, bool Recover, bool Enabled);

/// <summary>The phases in an order in which each comes after those it depends on.</summary>
internal sealed class ShutdownPhases
{
    private readonly Dictionary<string, ShutdownPhase> _byName;

    private ShutdownPhases(Dictionary<string, ShutdownPhase> byName)
    {
        _byName = byName;
        var ordered = new List<ShutdownPhase>();
        var open = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in byName.Keys.Order(StringComparer.Ordinal))
            Place(name, ordered, open);
        Ordered = ordered;
    }

    public IReadOnlyList<ShutdownPhase> Ordered { get; }

    public static ShutdownPhases Read(Config config)
    {
        TimeSpan timeout = config.GetTimeSpan("default-phase-timeout", TimeSpan.FromSeconds(5));
        Config section = config.GetConfig("phases") ?? Config.Empty;
        var phases = new Dictionary<string, ShutdownPhase>(StringComparer.Ordinal);
        foreach (KeyValuePair<string, Configuration.Hocon.HoconValue> entry in section.AsEnumerable())
        {
            Config one = section.GetConfig(entry.Key) ?? Config.Empty;
            phases[entry.Key] = new ShutdownPhase(
                entry.Key,
                [.. one.GetStringList("depends-on")],
                one.GetTimeSpan("timeout", timeout),
                one.GetBoolean("recover", true),
                one.GetBoolean("enabled", true));
        }

        return new ShutdownPhases(phases);
    }

    public ShutdownPhase Get(string name) => _byName.TryGetValue(name ?? string.Empty, out ShutdownPhase? phase)
        ? phase
        : throw new ArgumentException($"No shutdown phase is called '{name}'; known: {string.Join(", ", Ordered.Select(p => p.Name))}", nameof(name));

    /// <param name="first">Null: all.</param>
    public IReadOnlyList<ShutdownPhase> From(string? first) =>
        first is null ? Ordered : [.. Ordered.SkipWhile(p => p.Name != Get(first).Name)];

    private void Place(string name, List<ShutdownPhase> ordered, HashSet<string> open)
    {
        // A phase that others depend on and nobody configured has no tasks and no place.
        if (!_byName.TryGetValue(name, out ShutdownPhase? phase) || ordered.Contains(phase))
            return;
        if (!open.Add(name))
            throw new ConfigurationException($"akka.coordinated-shutdown.phases: '{name}' depends on itself");
        foreach (string before in phase.DependsOn)
            Place(before, ordered, open);
        open.Remove(name);
        ordered.Add(phase);
    }
}
