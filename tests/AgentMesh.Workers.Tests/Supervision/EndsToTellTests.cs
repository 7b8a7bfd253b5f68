using AgentMesh.Workers.Supervision;

namespace AgentMesh.Workers.Tests.Supervision;

public sealed class EndsToTellTests
{
    private readonly EndsToTell<int> _ends = new(() => 0);

    [Fact]
    public void An_end_is_repeated_ever_more_rarely_until_it_is_acknowledged()
    {
        _ends.Add(1);
        double[] told = [.. Enumerable.Range(0, 200).Select(tenth => tenth / 10.0).Where(second => Told(second).Length == 1)];
        Assert.Equal([0, 1, 3, 7, 12, 17], told);

        _ends.Remove(1);
        Assert.Empty(Told(100));
        Assert.True(_ends.IsEmpty);
    }

    [Fact]
    public void Jitter_makes_a_repeat_later()
    {
        var ends = new EndsToTell<int>(() => 1);
        ends.Add(1);
        Assert.Single(ends.Next(TimeSpan.Zero));
        Assert.Empty(ends.Next(TimeSpan.FromSeconds(1.2)));
        Assert.Single(ends.Next(TimeSpan.FromSeconds(1.3)));
    }

    [Fact]
    public void No_more_are_under_way_than_the_window_takes_and_each_acknowledgement_makes_room()
    {
        Add(0, 1_000);
        int[] first = Told(0);
        Assert.Equal(EndsToTell<int>.Window, first.Length);
        Assert.Empty(Told(0.5));

        _ends.Remove(first[0]);
        Assert.Single(Told(0.6));
        Assert.Equal(EndsToTell<int>.Window, _ends.UnderWay);
        Assert.Equal(1_000 - EndsToTell<int>.Window - 1, _ends.Waiting);
    }

    [Fact]
    public void The_newest_and_the_oldest_go_in_turn()
    {
        Add(0, 1_000);
        int[] told = Told(0);
        Assert.Equal([999, 0, 998, 1, 997], told[..5]);
        Assert.True(_ends.IsUntold(500));
        Assert.False(_ends.IsUntold(0));
    }

    [Fact]
    public void What_nobody_acknowledges_leaves_room_for_what_is_new()
    {
        Add(0, EndsToTell<int>.Window);
        Told(0);
        Told(2);
        Assert.True(_ends.UnderWay <= EndsToTell<int>.Window / 2);

        _ends.Add(5_000);
        Assert.Equal([5_000], Told(2.1));

        // And is told again, all of it.
        int[] again = [.. Enumerable.Range(22, 400).SelectMany(tenth => Told(tenth / 10.0))];
        Assert.Equal(EndsToTell<int>.Window + 1, again.Distinct().Count());
    }

    [Fact]
    public void All_of_a_hundred_thousand_are_told_once_where_each_is_acknowledged()
    {
        Add(0, 100_000);
        var told = new HashSet<int>();
        while (!_ends.IsEmpty)
        {
            foreach (int end in Told(0))
            {
                Assert.True(told.Add(end));
                _ends.Remove(end);
            }
        }

        Assert.Equal(100_000, told.Count);
    }

    private void Add(int from, int count)
    {
        for (int end = from; end < from + count; end++)
        {
            _ends.Add(end);
        }
    }

    private int[] Told(double second) => [.. _ends.Next(TimeSpan.FromSeconds(second))];
}
