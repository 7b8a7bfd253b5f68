using AgentMesh.Beacon.Client;

namespace AgentMesh.Beacon.Tests;

/// <summary>A thousand devices that lose their beacon at one moment, on a clock of the test.</summary>
public sealed class ReconnectPaceTests
{
    private const int Devices = 1_000;

    // What an attempt at a beacon that is not there takes at most, on a network that refuses at once.
    private static readonly TimeSpan Refusal = TimeSpan.FromMilliseconds(400);

    public static TheoryData<double> Absences => [0, 1, 3, 10, 60, 600];

    [Theory]
    [MemberData(nameof(Absences))]
    public void They_do_not_come_back_at_one_moment(double seconds)
    {
        int[] perTenth = new int[1_000];
        foreach ((TimeSpan late, _) in All(TimeSpan.FromSeconds(seconds), seed: (int)seconds))
        {
            perTenth[(int)(late.TotalMilliseconds / 100)]++;
        }

        // All at once would be 1,000 in one tenth of a second.
        Assert.True(perTenth.Max() <= 320, $"{perTenth.Max()} in one tenth of a second");
        Assert.Equal(Devices, perTenth.Sum());
    }

    [Fact]
    public void A_beacon_that_was_away_for_three_seconds_has_them_all_again_within_two() =>
        Assert.All(All(TimeSpan.FromSeconds(3), seed: 7), back => Assert.InRange(back.Late.TotalSeconds, 0, 1.5));

    [Fact]
    public void A_beacon_that_was_away_for_an_hour_is_found_again_within_half_a_minute() =>
        Assert.All(All(TimeSpan.FromHours(1), seed: 8), back => Assert.InRange(back.Late.TotalSeconds, 0, 26));

    [Fact]
    public void Nobody_dials_busily_while_it_is_away()
    {
        Assert.All(All(TimeSpan.FromSeconds(10), seed: 9), back => Assert.InRange(back.Attempts, 2, 20));
        Assert.All(All(TimeSpan.FromHours(1), seed: 10), back => Assert.InRange(back.Attempts, 100, 400));
    }

    /// <summary>How late after its return each device is there again, and how often it had tried.</summary>
    private static IEnumerable<(TimeSpan Late, int Attempts)> All(TimeSpan away, int seed)
    {
        var random = new Random(seed);
        var pace = new ReconnectPace(new BeaconClientSettings().RetryMin, new BeaconClientSettings().RetryMax);
        for (int device = 0; device < Devices; device++)
        {
            TimeSpan now = pace.First(random.NextDouble());
            int attempts = 1;
            while (now < away)
            {
                now += Refusal;
                now += pace.Next(now, Refusal, random.NextDouble());
                attempts++;
            }

            yield return (now - away, attempts);
        }
    }
}
