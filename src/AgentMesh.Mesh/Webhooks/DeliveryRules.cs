using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>When the end of a job or of a run is told again, and when that is given up: the same for all that is told. Pure.</summary>
public static class DeliveryRules
{
    public const int AttemptsMax = 8;

    /// <summary>The longest wait between two attempts, also where the receiver asks for a longer one.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(30);

    // Three times as long each time: 10 s, 30 s, 90 s, 4.5 min, 13.5 min, 20 min, 20 min, an hour together.
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan UsualWaitMax = TimeSpan.FromMinutes(20);
    private const int Growth = 3;

    // Of a wait, up or down: receivers that were away are not asked by everybody at once.
    private const double Jitter = 0.2;

    /// <summary>32 hexadecimal digits that follow from what is told, so that they are the same in each attempt.</summary>
    public static string IdOf(string what) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what)).AsSpan(0, 16));

    /// <summary>Of an end by the number of its event in the journal of the entity, which no other has: an entity that a person tries again ends another time, perhaps in the same millisecond or after the clock was set back.</summary>
    /// <param name="before">What the id followed from before ends had numbers.</param>
    public static string IdOf(string entity, Delivery delivery, Func<string> before) => IdOf(delivery.Number > 0 ? string.Create(CultureInfo.InvariantCulture, $"{entity}#{delivery.Number}") : before());

    /// <summary>How the present end stands after an attempt to tell it; null where the attempt was to tell another one, or nothing of it is due any more.</summary>
    /// <param name="present">Null where nobody is told.</param>
    /// <param name="attemptedId">Of what the attempt was about.</param>
    public static Delivery? After(Delivery? present, string presentId, string attemptedId, DeliveryAnswer answer, DateTimeOffset now) =>
        present is { IsDue: true } due && presentId == attemptedId ? After(due, presentId, answer, now) : null;

    /// <summary>How it stands after an attempt that ended so.</summary>
    public static Delivery After(Delivery due, string deliveryId, DeliveryAnswer answer, DateTimeOffset now)
    {
        int attempts = due.Attempts + 1;
        (DeliveryState state, Problem? problem) = answer.Verdict switch
        {
            DeliveryVerdict.Delivered => (DeliveryState.Delivered, null),
            DeliveryVerdict.Again when attempts < AttemptsMax => (DeliveryState.Due, answer.Problem),
            DeliveryVerdict.Again => (DeliveryState.GivenUp, UsedUp(answer.Problem)),
            _ => (DeliveryState.GivenUp, answer.Problem),
        };
        DateTimeOffset next = state == DeliveryState.Due ? now + Wait(deliveryId, attempts, answer.RetryAfter) : now;
        return new Delivery(state, attempts, next, now, answer.Status, problem) { Number = due.Number };
    }

    /// <summary>Before the attempt that follows so many. The part that is chance follows from the delivery, so that it is the same after a crash.</summary>
    public static TimeSpan Wait(string deliveryId, int attempts, TimeSpan? retryAfter)
    {
        TimeSpan usual = TimeSpan.FromTicks(Math.Min(UsualWaitMax.Ticks, FirstWait.Ticks * (long)Math.Pow(Growth, Math.Min(attempts, AttemptsMax) - 1)));
        ulong chance = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{deliveryId}/{attempts}"))));
        TimeSpan wait = usual * (1 - Jitter + (2 * Jitter * (chance / (double)ulong.MaxValue)));
        wait = retryAfter > wait ? retryAfter.Value : wait;
        return TimeSpan.FromMilliseconds(Math.Ceiling((wait > WaitMax ? WaitMax : wait).TotalMilliseconds));
    }

    /// <summary>How long the next attempt is not due; zero for now. A clock that was put back does not make it wait longer than it was to.</summary>
    public static TimeSpan UntilNext(Delivery due, DateTimeOffset now) => due.NextAt - now is var left && left > TimeSpan.Zero && left <= WaitMax ? left : TimeSpan.Zero;

    /// <inheritdoc cref="UntilNext(Delivery, DateTimeOffset)"/>
    /// <returns>Null where nothing waits.</returns>
    public static TimeSpan? UntilNextOf(Delivery? present, DateTimeOffset now) => present is { IsDue: true } due ? UntilNext(due, now) : null;

    private static Problem UsedUp(Problem? last) => new(MeshErrors.NotifyUsedUp, $"{AttemptsMax} attempts failed, the last one: {last?.Text}", "look at the receiver; what ends from now on is told as usual");
}
