using System.Collections.Immutable;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Cron;

/// <summary>Times that a person wants made up for.</summary>
/// <param name="After">The last of them that was fired, or just before the first.</param>
/// <param name="To">None is later.</param>
/// <param name="Left">How many are not fired yet.</param>
public sealed record CronBackfill(DateTimeOffset After, DateTimeOffset To, int Left)
{
    /// <summary>Times of one backfill.</summary>
    public const int Max = 1_000;

    /// <summary>The times from the one to the other, both included, as the schedule has them.</summary>
    /// <exception cref="MeshException">AM0324: nothing, too much, or not of the past.</exception>
    public static ImmutableArray<DateTimeOffset> Times(CronSpec spec, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now)
    {
        CronExpression expression = CronExpression.Parse(spec.Schedule);
        if (expression.IsReboot)
        {
            throw Wrong("@reboot has no times that could be made up for", "'agentmesh cron run' starts it now");
        }

        if (to < from || to > now)
        {
            throw Wrong(to < from ? $"{to:u} is before {from:u}" : $"{to:u} is not over yet", "give a span of the past, for example --from 2026-03-01 --to 2026-03-05T12:00");
        }

        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(spec.Zone);
        var times = ImmutableArray.CreateBuilder<DateTimeOffset>();
        for (DateTimeOffset? at = expression.NextAfter(from.AddSeconds(-1), zone); at <= to; at = expression.NextAfter(at.Value, zone))
        {
            if (times.Count == Max)
            {
                throw Wrong($"there are more than {Max} times from {from:u} to {to:u}", "give a shorter span");
            }

            times.Add(at.Value);
        }

        return times.ToImmutable();
    }

    private static MeshException Wrong(string text, string next) => new(MeshErrors.BadBackfill, text, next);
}
