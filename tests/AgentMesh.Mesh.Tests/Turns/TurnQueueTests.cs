using System.Globalization;
using AgentMesh.Mesh.Turns;

namespace AgentMesh.Mesh.Tests.Turns;

public sealed class TurnQueueTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(5);
    private static readonly TurnRules Rules = TurnRules.Default;

    private TimeSpan _now = TimeSpan.FromHours(1);

    [Fact]
    public void The_second_for_the_only_gpu_waits_and_is_told_who_has_it()
    {
        TurnQueue<string> queue = Queue("gpu=1");
        Add(queue, "a", needs: "gpu=1");
        Add(queue, "b", needs: "gpu=1");
        Add(queue, "c", needs: "gpu=1");

        Assert.Equal(["a"], queue.Next(_now));
        Assert.Null(Why(queue, "a"));
        Assert.Equal("gpu on gpu-box: 1 of 1 in use by job a", Why(queue, "b"));
        Assert.Equal("gpu on gpu-box: 1 of 1 in use by job a; 1 before it", Why(queue, "c"));

        queue.Remove("a");
        Assert.Equal(["b"], queue.Next(_now));
    }

    [Fact]
    public void The_higher_priority_goes_first_and_then_the_older()
    {
        TurnQueue<string> queue = Queue("", places: 1);
        Add(queue, "low", priority: -1);
        Add(queue, "old");
        Add(queue, "young");
        Add(queue, "high", priority: 5);

        Assert.Equal(["high", "old", "young", "low"], Drain(queue));
    }

    [Fact]
    public void Shares_take_turns_however_long_the_line_of_one_is()
    {
        TurnQueue<string> queue = Queue("", places: 1);
        for (int i = 0; i < 4; i++)
        {
            Add(queue, "a" + i, share: "a");
        }

        Add(queue, "b0", share: "b");
        Add(queue, "b1", share: "b");

        Assert.Equal(["a0", "b0", "a1", "b1", "a2", "a3"], Drain(queue));
    }

    [Fact]
    public void The_share_with_the_smaller_part_of_what_it_uses_most_goes_first()
    {
        // Nine cores and 18 GB: the example of the paper on dominant resource fairness. One has three tasks of 1 core and 4 GB, the other two of 3 cores and 1 GB.
        TurnQueue<string> queue = Queue("cpu=9,mem=18", places: 100);
        for (int i = 0; i < 10; i++)
        {
            Add(queue, "a" + i, share: "a", needs: "cpu=1,mem=4");
            Add(queue, "b" + i, share: "b", needs: "cpu=3,mem=1");
        }

        string[] begun = [.. queue.Next(_now)];

        Assert.Equal((3, 2), (begun.Count(each => each[0] == 'a'), begun.Count(each => each[0] == 'b')));
    }

    [Fact]
    public void What_the_first_lacks_is_kept_for_it_and_others_go_on()
    {
        TurnQueue<string> queue = Queue("gpu=2,cpu=8");
        Add(queue, "one", needs: "gpu=1");
        Assert.Equal(["one"], queue.Next(_now));
        Add(queue, "both", needs: "gpu=2");
        Add(queue, "small", needs: "gpu=1");
        Add(queue, "cores", needs: "cpu=4");

        Assert.Equal(["cores"], queue.Next(_now));
        Assert.Equal("gpu (2 asked for) on gpu-box: 1 of 2 in use by job one", Why(queue, "both"));
        Assert.Equal("gpu on gpu-box; 1 before it", Why(queue, "small"));

        queue.Remove("one");
        Assert.Equal(["both"], queue.Next(_now));
    }

    [Fact]
    public void Who_is_passed_over_for_long_enough_goes_before_a_higher_priority()
    {
        TurnQueue<string> queue = Queue("", places: 1);
        Add(queue, "low", priority: -10);
        int served = 0;
        for (int i = 0; ; i++)
        {
            Add(queue, "high" + i, priority: 10);
            string next = Assert.Single(queue.Next(_now));
            if (next == "low")
            {
                break;
            }

            served++;
            _now += Step / 5;
            queue.Remove(next);
        }

        Assert.InRange(served, 90, 110);
    }

    [Fact]
    public void A_line_that_goes_on_does_not_grow_older_than_the_next_share()
    {
        TurnQueue<string> queue = Queue("", places: 1);
        for (int i = 0; i < 100; i++)
        {
            Add(queue, "a" + i, share: "a");
        }

        for (int i = 0; i < 10; i++)
        {
            queue.Remove(Assert.Single(queue.Next(_now)));
            _now += Step * 2;
        }

        Add(queue, "b", share: "b");
        string[] next = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            string one = Assert.Single(queue.Next(_now));
            queue.Remove(one);
            return one;
        })];
        Assert.Contains("b", next);
    }

    [Fact]
    public void An_owner_at_its_limit_keeps_nothing_from_others()
    {
        var queue = new TurnQueue<string>(Amounts("gpu=4"), 100, Rules with { OwnerMax = owner => owner == "laptop" ? 1 : null });
        Add(queue, "l0", owner: "laptop", needs: "gpu=1");
        Add(queue, "l1", owner: "laptop", needs: "gpu=1", priority: 10);
        Add(queue, "o0", owner: "other", needs: "gpu=1");

        Assert.Equal(["l1", "o0"], queue.Next(_now));
        Assert.Equal("attempts on gpu-box: 1 of 1 of its own device are in use", Why(queue, "l0"));
    }

    [Fact]
    public void What_was_taken_over_counts_though_there_is_no_room_for_it()
    {
        TurnQueue<string> queue = Queue("gpu=1");
        queue.Take(Request("x", needs: "gpu=1"));
        queue.Take(Request("y", needs: "gpu=1"));
        Add(queue, "z", needs: "gpu=1");

        Assert.Empty(queue.Next(_now));
        queue.Remove("x");
        Assert.Empty(queue.Next(_now));
        queue.Remove("y");
        Assert.Equal(["z"], queue.Next(_now));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Nothing_is_used_twice_nothing_is_lost_and_everyone_is_served(int seed)
    {
        var random = new Random(seed);
        ResourceAmounts capacity = Amounts("gpu=3,mem=10");
        var queue = new TurnQueue<string>(capacity, 4, Rules);
        var waiting = new Dictionary<string, (ResourceAmounts Needs, TimeSpan Since)>(StringComparer.Ordinal);
        var holding = new Dictionary<string, ResourceAmounts>(StringComparer.Ordinal);
        int added = 0, done = 0;
        TimeSpan longest = TimeSpan.Zero;
        while (done < 3_000)
        {
            _now += TimeSpan.FromSeconds(random.Next(1, 20));
            switch (random.Next(5))
            {
                case 0 or 1 when waiting.Count < 60 && added < 3_000:
                    string key = (added++).ToString(CultureInfo.InvariantCulture);
                    string needs = random.Next(4) switch { 0 => "gpu=1", 1 => "gpu=3", 2 => "mem=" + random.Next(1, 11), _ => "" };
                    Add(queue, key, share: "s" + random.Next(4), priority: random.Next(-10, 11), needs: needs);
                    waiting[key] = (Amounts(needs), _now);
                    break;
                case 2 when waiting.Count > 0 && random.Next(20) == 0:
                    string gone = waiting.Keys.First();
                    queue.Remove(gone);
                    waiting.Remove(gone);
                    done++;
                    break;
                case 3 or 4 when holding.Count > 0:
                    string over = holding.Keys.ElementAt(random.Next(holding.Count));
                    queue.Remove(over);
                    holding.Remove(over);
                    done++;
                    break;
            }

            foreach (string begun in queue.Next(_now))
            {
                Assert.True(waiting.Remove(begun, out (ResourceAmounts Needs, TimeSpan Since) entry));
                holding.Add(begun, entry.Needs);
                longest = _now - entry.Since > longest ? _now - entry.Since : longest;
            }

            ResourceAmounts used = holding.Values.Aggregate(ResourceAmounts.None, (sum, each) => sum.Plus(each));
            Assert.True(used.FitsIn(capacity) && holding.Count <= 4, $"seed {seed}: {used}");
            Assert.Equal(capacity.Minus(used), queue.Free);
            Assert.Equal((waiting.Count, holding.Count), (queue.Waiting, queue.Holding));
            Assert.True(holding.Count > 0 || waiting.Count == 0, $"seed {seed}: something could begin and does not");
            Assert.All(waiting.Keys, key => Assert.NotNull(Why(queue, key)));
        }

        // Every step of age is 5 minutes: 20 of them lead past every priority, and then the line there is.
        Assert.InRange(longest, TimeSpan.Zero, TimeSpan.FromHours(4));
    }

    private static TurnQueue<string> Queue(string capacity, int places = 64) => new(Amounts(capacity), places, Rules);

    private static ResourceAmounts Amounts(string text) => ResourceAmounts.Parse(text.Split(',', StringSplitOptions.RemoveEmptyEntries));

    private static TurnRequest<string> Request(string key, string share = "s", string owner = "o", int priority = 0, string needs = "") => new(key, share, owner, priority, Amounts(needs), "job " + key);

    private void Add(TurnQueue<string> queue, string key, string share = "s", string owner = "o", int priority = 0, string needs = "") => queue.Add(Request(key, share, owner, priority, needs), _now);

    private string? Why(TurnQueue<string> queue, string key) => queue.Explain(key, _now, "gpu-box", "attempts");

    private List<string> Drain(TurnQueue<string> queue)
    {
        List<string> served = [];
        while (queue.Next(_now) is [string one])
        {
            served.Add(one);
            queue.Remove(one);
        }

        return served;
    }
}
