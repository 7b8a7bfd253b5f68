using System.Net;
using AgentMesh.Node.Remembered;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentMesh.Node.Tests.Remembered;

public sealed class NameMemoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("am-names-").FullName;
    private readonly SetClock _clock = new();

    private string File => Path.Combine(_root, NamesFile.FileName);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Where_a_host_answered_survives_the_file_the_latest_first_and_at_most_four()
    {
        NameMemory memory = Open();
        for (int host = 1; host <= 6; host++)
        {
            _clock.Now += TimeSpan.FromMinutes(1);
            memory.Answered("Beacon.example.org", At(host));
        }

        memory.Answered("beacon.example.org", At(4));

        Assert.Equal([At(4), At(6), At(5), At(3)], Open().Of("BEACON.example.org"));
        Assert.Equal(0, Open().File.Ignored);
    }

    [Fact]
    public void What_was_proven_last_stays_however_old_and_goes_long_after_another_was()
    {
        Open().Answered("beacon.test", At(1));
        _clock.Now += TimeSpan.FromDays(1_000);
        Assert.Equal([At(1)], Open().Of("beacon.test"));

        Open().Answered("beacon.test", At(2));

        Assert.Equal([At(2)], Open().Of("beacon.test"));
    }

    [Fact]
    public void A_clock_that_was_ahead_pushes_nothing_out()
    {
        NameMemory memory = Open();
        _clock.Now += TimeSpan.FromDays(5_000);
        for (int host = 1; host <= 4; host++)
        {
            memory.Answered("beacon.test", At(host));
        }

        _clock.Now -= TimeSpan.FromDays(5_000);
        memory.Answered("beacon.test", At(5));

        Assert.Equal([At(5), At(4), At(3), At(2)], memory.Of("beacon.test"));
        Assert.Equal([At(5), At(4), At(3), At(2)], Open().Of("beacon.test"));
    }

    [Fact]
    public void A_host_that_nothing_needs_goes_after_its_time_and_one_that_is_needed_does_not()
    {
        Open().Answered("old.test", At(1));
        Open().Answered("kept.test", At(2));
        _clock.Now += Lasting.Longest + TimeSpan.FromDays(1);

        NameMemory memory = Open();
        Assert.NotEmpty(memory.Of("kept.test"));
        memory.Answered("new.test", At(3));

        Assert.Equal(["kept.test", "new.test"], Open().All.Select(name => name.Host));
    }

    [Fact]
    public void That_it_answers_still_is_written_every_hour()
    {
        NameMemory memory = Open();
        for (int half = 0; half <= 10; half++)
        {
            memory.Answered("stun.test", At(1));
            Assert.True(_clock.Now - Open().All.Single().At <= TimeSpan.FromHours(1), "the file is no older than that");
            _clock.Now += TimeSpan.FromMinutes(30);
        }
    }

    [Fact]
    public void Of_too_many_hosts_that_goes_which_nothing_needs_and_which_answered_longest_ago()
    {
        NameMemory memory = Open();
        for (int host = 0; host < NameMemory.HostsMax; host++)
        {
            _clock.Now += TimeSpan.FromSeconds(1);
            memory.Answered($"host{host}.test", At(1));
        }

        memory.Answered("one-more.test", At(2));
        Assert.Empty(memory.Of("one-more.test")); // all are needed in this life

        NameMemory next = Open();
        Assert.NotEmpty(next.Of("host0.test"));
        next.Answered("one-more.test", At(2));

        Assert.Equal(NameMemory.HostsMax, next.All.Count);
        Assert.Equal([At(2)], next.Of("one-more.test"));
        Assert.Empty(next.Of("host1.test"));
        Assert.NotEmpty(next.Of("host0.test"));
    }

    [Theory]
    [InlineData("", 1, true)]
    [InlineData("[]", 1, true)]
    [InlineData("{}", 1, true)]
    [InlineData("{\"version\":2,\"hosts\":{\"a.test\":[{\"address\":\"192.0.2.1\",\"at\":\"2029-01-01T00:00:00Z\"}]}}", 1, true)]
    [InlineData("{\"version\":1,\"hosts\":7}", 1, true)]
    [InlineData("{\"version\":1,\"hosts\":{}}", 0, false)]
    [InlineData("{\"version\":1,\"hosts\":{\"a.test\":7}}", 1, true)]
    [InlineData("{\"version\":1,\"hosts\":{\"a.test\":[null, 7, {}, {\"address\":\"nowhere\"}]}}", 5, true)]
    [InlineData("{\"version\":1,\"hosts\":{\"192.0.2.1\":[{\"address\":\"192.0.2.1\",\"at\":\"2029-01-01T00:00:00Z\"}]}}", 1, true)]
    [InlineData("{\"version\":1,\"hosts\":{\"\\ud800\":[{\"address\":\"192.0.2.1\",\"at\":\"2029-01-01T00:00:00Z\"}]}}", 1, true)]
    public void A_damaged_file_is_left_out_counted_and_kept_beside(string text, int ignored, bool isKept)
    {
        System.IO.File.WriteAllText(File, text);

        NameMemory memory = Open();

        Assert.Empty(memory.All);
        Assert.Equal(ignored, memory.File.Ignored);
        Assert.Equal(isKept, System.IO.File.Exists(memory.File.DamagedCopy));
        if (isKept)
        {
            Assert.Equal(text, System.IO.File.ReadAllText(memory.File.DamagedCopy));
        }

        memory.Answered("a.test", At(1));
        Assert.Equal([At(1)], Open().Of("a.test"));
    }

    [Fact]
    public void An_entry_that_is_damaged_takes_no_other_with_it_and_a_time_ahead_is_now()
    {
        System.IO.File.WriteAllText(File, """
            {"version":1,"hosts":{"bad.test":"?","good.test":[{"address":"?"},{"address":"192.0.2.1","at":"2999-01-01T00:00:00Z"}]}}
            """);

        NameMemory memory = Open();

        Assert.Equal([At(1)], memory.Of("good.test"));
        Assert.Equal(_clock.Now, memory.All.Single().At);
        Assert.Equal(2, memory.File.Ignored);
    }

    [Fact]
    public void It_is_known_which_names_are_used_without_being_resolved()
    {
        NameMemory memory = Open();
        memory.Answered("beacon.test", At(1));

        memory.Asked("beacon.test", isResolved: false);
        memory.Asked("never.test", isResolved: false);
        Assert.True(memory.All.Single().IsInUse);

        memory.Asked("beacon.test", isResolved: true);
        Assert.False(memory.All.Single().IsInUse);
    }

    [Fact]
    public void Random_files_stop_no_node()
    {
        const int seed = 20261122;
        var random = new Random(seed);
        string whole = """{"version":1,"hosts":{"a.test":[{"address":"192.0.2.1","at":"2029-01-01T00:00:00Z"},{"address":"2001:db8::1","at":"2029-01-02T00:00:00Z"}]}}""";
        for (int round = 0; round < 2_000; round++)
        {
            char[] text = whole.ToCharArray();
            for (int change = random.Next(4); change >= 0; change--)
            {
                text[random.Next(text.Length)] = "{}[]\":,\\0né "[random.Next(12)];
            }

            System.IO.File.WriteAllText(File, new string(text)[..random.Next(text.Length + 1)]);
            Assert.True(Open().All.Count <= 1, $"seed {seed}, round {round}");
        }
    }

    private static IPAddress At(int host) => IPAddress.Parse($"192.0.2.{host}");

    private NameMemory Open() => new(File, _clock, NullLogger.Instance);
}
