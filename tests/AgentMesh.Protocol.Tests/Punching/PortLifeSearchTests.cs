using AgentMesh.Protocol.Punching;
using AgentMesh.Protocol.Tests.Connections;

namespace AgentMesh.Protocol.Tests.Punching;

/// <summary>How much silence a NAT bears. In virtual time, over seeds.</summary>
public sealed class PortLifeSearchTests
{
    private const int Seeds = 50;

    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    [Theory]
    [InlineData(10, 8, 13)]
    [InlineData(30, 28, 43)]
    [InlineData(60, 58, 88)]
    [InlineData(120, 118, 178)]
    [InlineData(180, 178, 238)]
    public void Finds_between_which_silences_ports_end_in_the_time_of_the_longer_one(int life, int lives, int dies)
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            PortLifeLab lab = Lab(seed, life);
            lab.RunTo(PortLifeSearch.TimeMax);
            Assert.True(lab.Search.IsOver, $"seed {seed}");
            Assert.True(lab.Search.Result == new PortLife(At(lives), At(dies)), $"seed {seed}: {lab.Search.Result}");
            Assert.Equal(At(lives), lab.Search.Result.SilenceMax);
            Assert.InRange(lab.KnownAfter!.Value.TotalSeconds, dies, dies + 12);
            Assert.InRange(lab.Questions, 3 * PortLifeSearch.PortsMax, PortLifeSearch.QuestionsMax);
        }
    }

    /// <summary>Three questions that are lost make one silence unknown, or seem too long; never too short.</summary>
    [Fact]
    public void What_is_lost_on_the_way_never_makes_a_port_seem_to_live_longer()
    {
        int exact = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            PortLifeLab lab = Lab(seed, 60, loss: 0.05);
            lab.RunTo(PortLifeSearch.TimeMax);
            Assert.True(lab.Search.IsOver, $"seed {seed}");
            Assert.True(lab.Search.Result is { Lives: var lives, SilenceMax: var most } && !(lives > At(58)) && !(most > At(58)), $"seed {seed}: {lab.Search.Result}");
            exact += lab.Search.Result == new PortLife(At(58), At(88)) ? 1 : 0;
        }

        Assert.InRange(exact, Seeds * 8 / 10, Seeds);
    }

    [Fact]
    public void Where_all_that_is_tried_lives_nothing_is_to_be_kept_alive_sooner()
    {
        PortLifeLab lab = Lab(1, 400);
        lab.RunTo(PortLifeSearch.TimeMax);
        Assert.Equal(new PortLife(At(298)), lab.Search.Result);
        Assert.Null(lab.Search.Result.SilenceMax);
    }

    [Fact]
    public void Where_nothing_that_is_tried_lives_half_of_the_shortest_is_taken()
    {
        PortLifeLab lab = Lab(1, 5);
        lab.RunTo(PortLifeSearch.TimeMax);
        Assert.Equal(new PortLife(null, At(8)), lab.Search.Result);
        Assert.Equal(At(4), lab.Search.Result.SilenceMax);
    }

    [Fact]
    public void An_observer_of_the_version_before_is_noticed_before_any_port_but_the_first_is_opened()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var lab = new PortLifeLab(new ShortNat(At(30), Never, new Random(seed)), At(0.02), loss: 0, new Random(seed), TimeSpan.Zero) { IsOldObserver = true };
            lab.RunTo(At(10));
            Assert.True(lab.Search.IsOver);
            Assert.Equal(PortLife.Unknown, lab.Search.Result);
            Assert.InRange(lab.Questions, 5, 3 * PortLifeSearch.Tries);
        }
    }

    [Fact]
    public void An_observer_that_goes_away_makes_no_port_die()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            PortLifeLab lab = Lab(seed, 60);
            lab.RunTo(At(20 + (seed % 5)));
            lab.IsAway = true;
            lab.RunTo(PortLifeSearch.TimeMax);
            Assert.True(lab.Search.IsOver, $"seed {seed}");
            Assert.Null(lab.Search.Result.Dies);
            Assert.Null(lab.Search.Result.SilenceMax);
        }
    }

    [Fact]
    public void One_that_is_not_there_gets_three_questions()
    {
        PortLifeLab lab = Lab(1, 60);
        lab.IsAway = true;
        lab.RunTo(PortLifeSearch.TimeMax);
        Assert.True(lab.Search.IsOver);
        Assert.Equal(PortLifeSearch.Tries, lab.Questions);
    }

    [Fact]
    public void A_port_that_was_not_reached_for_another_reason_is_refuted_by_one_that_lived_longer()
    {
        var search = new PortLifeSearch(TimeSpan.Zero);
        var now = TimeSpan.Zero;
        bool isNotControlled = true;
        while (search.NextWakeUp is { } next)
        {
            now = next > now ? next : now;
            while (search.TryAsk(now, out PortQuestion question))
            {
                // What is for the port that was silent for 8 s is lost; the others are reached up to 60 s.
                bool isReached = question.Port != 1 && now < At(63);
                isNotControlled &= question.Port != 1 || question.Kind != PortQuestionKind.Control;
                if (question.Kind != PortQuestionKind.Reach || isReached)
                {
                    search.Answered(question, 40_000 + question.Port, now);
                }
            }
        }

        Assert.False(isNotControlled); // it was looked whether the observer is there
        Assert.Equal(new PortLife(At(58), At(88)), search.Result);
    }

    [Fact]
    public void What_comes_late_or_was_not_asked_changes_nothing_that_it_should_not()
    {
        var search = new PortLifeSearch(TimeSpan.Zero);
        search.Answered(new PortQuestion(3, PortQuestionKind.Reach, 5), 5, TimeSpan.Zero);
        search.Answered(new PortQuestion(3, PortQuestionKind.Control), 5, TimeSpan.Zero);
        Assert.Equal(PortLife.Unknown, search.Result);

        // The answer to the third question, after it was given up, while it is looked whether the observer is there.
        PortQuestion open = Next(search, TimeSpan.Zero);
        search.Answered(open, 40_000, TimeSpan.Zero);
        PortQuestion reach = Next(search, TimeSpan.Zero);
        Assert.Equal(new PortQuestion(0, PortQuestionKind.Reach, 40_000), reach);
        TimeSpan now = TimeSpan.Zero;
        PortQuestion asked = reach;
        while (asked.Kind == PortQuestionKind.Reach)
        {
            now += PortLifeSearch.Patience;
            asked = Next(search, now);
        }

        Assert.Equal(PortQuestionKind.Control, asked.Kind);
        search.Answered(reach with { AnswerTo = 40_001 }, 40_001, now); // another port
        Assert.False(search.TryAsk(now, out _));
        search.Answered(reach, 40_000, now);
        Assert.True(search.TryAsk(now, out PortQuestion first)); // the others begin
        Assert.Equal(new PortQuestion(1, PortQuestionKind.Open), first);
    }

    private static PortQuestion Next(PortLifeSearch search, TimeSpan now)
    {
        Assert.True(search.TryAsk(now, out PortQuestion question));
        Assert.False(search.TryAsk(now, out _));
        return question;
    }

    private static PortLifeLab Lab(int seed, double life, double loss = 0)
    {
        var random = new Random(seed);
        return new PortLifeLab(new ShortNat(At(life), Never, random), TimeSpan.FromMilliseconds(5 + random.Next(150)), loss, random, TimeSpan.Zero);
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
