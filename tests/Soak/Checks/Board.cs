using System.Globalization;

namespace Soak.Checks;

/// <summary>Counts checks by name and keeps what was violated.</summary>
internal sealed class Board
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Passed, int Failed)> _counts = new(StringComparer.Ordinal);
    private readonly List<string> _violations = [];

    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (_gate)
            {
                return [.. _violations];
            }
        }
    }

    public void Check(string what, bool holds, Func<string> otherwise)
    {
        lock (_gate)
        {
            (int passed, int failed) = _counts.GetValueOrDefault(what);
            _counts[what] = holds ? (passed + 1, failed) : (passed, failed + 1);
            if (!holds)
            {
                _violations.Add($"{what}: {otherwise()}");
            }
        }
    }

    public IEnumerable<string> Lines()
    {
        lock (_gate)
        {
            return [.. _counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"  {(count.Value.Failed == 0 ? "ok  " : "FAIL")} {count.Value.Passed,6} of {count.Value.Passed + count.Value.Failed,-6} {count.Key}"))];
        }
    }
}
