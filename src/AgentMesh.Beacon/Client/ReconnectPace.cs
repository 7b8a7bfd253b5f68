namespace AgentMesh.Beacon.Client;

/// <summary>
/// When to try again after a connection was lost. The waits grow with the time that the other side has been away, so that it is found again soon after a short absence and
/// asked seldom in a long one; and each is drawn at random from a range as wide as itself, so that the thousands that a restart cuts off at one moment do not come back at one.
/// </summary>
internal sealed class ReconnectPace(TimeSpan min, TimeSpan max)
{
    // With these an absence of 3 s ends up to 0.75 s late and one of a minute up to 15 s where attempts are refused at once, and a thousand devices that lost a beacon for 3 s come back over half a second.
    private const double ShareOfAbsence = 0.2;
    private const double Least = 0.5;
    private const double Most = 1.25;

    // Where nothing refuses, an attempt knocks again and again as long as it lasts: so much of the absence may pass in between.
    private const double KnockShareOfAbsence = 0.1;

    /// <param name="away">Since the connection was lost, or since the start.</param>
    /// <param name="tried">So long the attempt lasted that failed; it counts as waiting.</param>
    /// <param name="random">0 up to 1.</param>
    public TimeSpan Next(TimeSpan away, TimeSpan tried, double random)
    {
        TimeSpan middle = away * ShareOfAbsence;
        middle = middle < min ? min : middle > max ? max : middle;
        double share = Least + ((Most - Least) * random);
        TimeSpan wait = (middle * share) - tried;
        return wait > min * share ? wait : min * share;
    }

    /// <summary>The longest time between two knocks of an attempt.</summary>
    /// <param name="shortest">For one that was lost just now.</param>
    public static TimeSpan Knock(TimeSpan away, TimeSpan shortest, TimeSpan longest)
    {
        TimeSpan wait = away * KnockShareOfAbsence;
        return wait < shortest ? shortest : wait > longest ? longest : wait;
    }

    /// <summary>Before the first attempt after a loss: all who were cut off notice it together.</summary>
    public TimeSpan First(double random) => 2 * min * random;
}
