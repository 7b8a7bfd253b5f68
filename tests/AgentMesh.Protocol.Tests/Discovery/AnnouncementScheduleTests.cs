using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Discovery;

public sealed class AnnouncementScheduleTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Asks_three_times_at_first_and_then_announces_at_jittered_intervals(int seed)
    {
        var schedule = new AnnouncementSchedule(Interval, new SeededEntropy(seed), TimeSpan.Zero);
        List<(TimeSpan At, bool Asks)> sent = Run(schedule, TimeSpan.Zero, TimeSpan.FromMinutes(10));

        Assert.Equal([true, true, true, false], sent.Take(4).Select(each => each.Asks));
        Assert.InRange(sent[0].At.TotalSeconds, 0, 0.1);
        Assert.InRange(sent[1].At.TotalSeconds, 1, 1.25);
        Assert.InRange(sent[2].At.TotalSeconds, 3, 3.4);
        Assert.All(sent.Skip(3).Zip(sent.Skip(2)), pair => Assert.InRange((pair.First.At - pair.Second.At).TotalSeconds, 45, 75.1));
        Assert.True(sent.Skip(3).Select(each => each.At).Distinct().Count() > 5);
    }

    [Fact]
    public void Ten_thousand_questions_get_one_answer_a_second()
    {
        var schedule = new AnnouncementSchedule(Interval, new SeededEntropy(4), TimeSpan.Zero);
        Run(schedule, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        var sent = new List<(TimeSpan At, bool Asks)>();
        for (int i = 0; i < 10_000; i++)
        {
            TimeSpan now = TimeSpan.FromSeconds(20) + TimeSpan.FromMilliseconds(i);
            schedule.Answer(now);
            if (schedule.TryTake(now, out bool asks))
            {
                sent.Add((now, asks));
            }
        }

        Assert.InRange(sent.Count, 8, 11);
        Assert.All(sent, each => Assert.False(each.Asks));
        Assert.InRange((sent[0].At - TimeSpan.FromSeconds(20)).TotalSeconds, 0, 0.31);
    }

    [Fact]
    public void A_question_right_after_an_announcement_waits_for_its_second()
    {
        var schedule = new AnnouncementSchedule(Interval, new SeededEntropy(4), TimeSpan.Zero);
        TimeSpan last = Run(schedule, TimeSpan.Zero, TimeSpan.FromSeconds(10))[^1].At;
        schedule.Answer(last + TimeSpan.FromMilliseconds(1));

        Assert.Equal(last + AnnouncementSchedule.AnswerEvery, schedule.Next);
    }

    private static List<(TimeSpan At, bool Asks)> Run(AnnouncementSchedule schedule, TimeSpan from, TimeSpan to)
    {
        var sent = new List<(TimeSpan At, bool Asks)>();
        for (TimeSpan now = from; now < to; now += TimeSpan.FromMilliseconds(10))
        {
            if (schedule.TryTake(now, out bool asks))
            {
                sent.Add((now, asks));
            }
        }

        return sent;
    }
}
