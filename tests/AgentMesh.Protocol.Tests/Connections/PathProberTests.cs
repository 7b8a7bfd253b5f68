using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Connections;

public sealed class PathProberTests
{
    private static readonly IPEndPoint Home = IPEndPoint.Parse("192.0.2.1:1000");

    private readonly PathProber _prober = new(new SeededEntropy(1));
    private TimeSpan _now = TimeSpan.FromSeconds(100);

    [Fact]
    public void A_round_is_five_questions_within_a_second()
    {
        _prober.Begin([Home], _now);
        TimeSpan start = _now;
        Assert.Equal([Home, Home, Home, Home, Home], Run(TimeSpan.FromSeconds(60)).Select(sent => sent.To));
        Assert.Equal(TimeSpan.MaxValue, _prober.NextTimeout);
        Assert.True(_now - start >= TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void A_round_begins_when_it_was_arranged()
    {
        _prober.Begin([Home], _now + TimeSpan.FromMilliseconds(40));
        Assert.Equal(_now + TimeSpan.FromMilliseconds(40), _prober.NextTimeout);
        Assert.False(_prober.TryNext(_now, out _, out _, out _));
    }

    [Fact]
    public void An_address_that_does_not_prove_itself_gets_nine_questions_whoever_names_it_and_however_often()
    {
        for (int i = 0; i < 1_000; i++)
        {
            _prober.Begin([Home], _now);
            _prober.Noticed(Home, _now);
            Run(TimeSpan.FromMilliseconds(500));
        }

        Assert.Equal(9, _prober.Probes);
    }

    [Fact]
    public void An_address_that_this_side_knows_by_itself_is_asked_in_every_round_and_a_tunnel_never()
    {
        for (int round = 1; round <= 10; round++)
        {
            _prober.BeginOwn([Home, TunnelAddress.Of(1)], _now);
            Assert.All(Run(TimeSpan.FromSeconds(2)), sent => Assert.Equal(Home, sent.To));
            Assert.Equal(5 * round, _prober.Probes);
        }
    }

    [Fact]
    public void After_ten_minutes_it_gets_nine_more()
    {
        for (int i = 0; i < 20; i++)
        {
            _prober.Begin([Home], _now);
            Run(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(18, _prober.Probes);
    }

    [Fact]
    public void However_many_addresses_are_named_the_questions_are_bounded()
    {
        for (int host = 0; host < 50; host++)
        {
            for (int port = 1; port < 200; port++)
            {
                _prober.Begin([new IPEndPoint(new IPAddress([198, 51, 100, (byte)host]), port)], _now);
            }
        }

        for (int i = 0; i < 10; i++)
        {
            Run(TimeSpan.FromSeconds(2));
            _prober.Begin([Home], _now);
        }

        Assert.Equal(PathProber.CandidatesMax, _prober.Candidates);
        Assert.InRange(_prober.Probes, 1, PathProber.CandidatesMax * PathProber.ProbesMax);
    }

    [Fact]
    public void One_host_is_asked_at_eight_ports()
    {
        _prober.Begin(Enumerable.Range(1, 100).Select(port => new IPEndPoint(Home.Address, port)), _now);
        Assert.Equal(8, Run(TimeSpan.FromSeconds(5)).Select(sent => sent.To).Distinct().Count());
    }

    [Theory]
    [InlineData("127.0.0.1:5")]
    [InlineData("[::1]:5")]
    [InlineData("0.0.0.0:5")]
    [InlineData("[::]:5")]
    [InlineData("192.0.2.1:0")]
    [InlineData("224.0.0.1:5")]
    [InlineData("255.255.255.255:5")]
    [InlineData("[ff02::1]:5")]
    [InlineData("[fe80::1]:5")]
    [InlineData("[::ffff:127.0.0.1]:5")]
    [InlineData("[100::5]:1")]
    public void Addresses_that_no_direct_path_leads_to_are_not_asked(string address)
    {
        _prober.Begin([IPEndPoint.Parse(address)], _now);
        Assert.Empty(Run(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void An_address_is_proven_by_the_bytes_that_were_sent_there_from_there_and_once()
    {
        IPEndPoint other = IPEndPoint.Parse("192.0.2.2:1000");
        _prober.Begin([Home, other], _now);
        IReadOnlyList<Sent> sent = Run(TimeSpan.FromMilliseconds(10));
        byte[] forHome = sent.First(each => each.To.Equals(Home)).Data, forOther = sent.First(each => each.To.Equals(other)).Data;
        Assert.NotEqual(forHome, forOther);
        Assert.False(Answer(Home, new byte[PathFrame.DataBytes]));
        Assert.False(Answer(Home, forOther));
        Assert.False(Answer(IPEndPoint.Parse("192.0.2.3:1000"), forHome));
        Assert.True(Answer(Home, forHome));
        Assert.False(Answer(Home, forHome));
    }

    [Fact]
    public void An_address_that_has_proven_itself_is_asked_in_every_round()
    {
        _prober.Begin([Home], _now);
        Assert.True(Answer(Home, Run(TimeSpan.FromMilliseconds(10))[0].Data));
        _prober.Stop();
        for (int i = 0; i < 10; i++)
        {
            _prober.Begin([Home], _now);
            Assert.Equal(5, Run(TimeSpan.FromSeconds(5)).Count);
        }
    }

    [Fact]
    public void An_answer_to_a_question_that_was_not_put_proves_nothing()
    {
        _prober.Begin([Home], _now + TimeSpan.FromSeconds(1));
        byte[] data = new byte[PathFrame.DataBytes];
        new SeededEntropy(1).Fill(data); // what it will be
        Assert.False(Answer(Home, data));
    }

    [Fact]
    public void A_question_is_answered_where_it_came_from_and_a_flood_of_them_in_part()
    {
        for (int i = 0; i < 100; i++)
        {
            _prober.Asked(Home, "12345678"u8, 38);
        }

        IReadOnlyList<Sent> sent = Run(TimeSpan.FromSeconds(1));
        Assert.Equal(PathProber.AnswersMax, sent.Count);
        Assert.All(sent, each => Assert.Equal((Home, FrameType.PathResponse, "12345678"), (each.To, each.Type, System.Text.Encoding.ASCII.GetString(each.Data))));
    }

    [Theory]
    [InlineData(38, 38)]
    [InlineData(512, 512)]
    [InlineData(1400, 512)]
    public void An_answer_is_as_long_as_its_question_and_no_longer_than_the_floor(int question, int answer)
    {
        _prober.Asked(Home, "12345678"u8, question);
        Run(TimeSpan.FromSeconds(1));
        Assert.Equal(answer, _prober.AnswerBytes);
    }

    [Fact]
    public void A_direct_path_ends_the_questions()
    {
        _prober.Begin([Home], _now);
        Run(TimeSpan.FromMilliseconds(10));
        _prober.Stop();
        Assert.Empty(Run(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void Without_a_source_of_chance_nothing_is_asked()
    {
        var prober = new PathProber(null);
        prober.Begin([Home], _now);
        Assert.Equal(TimeSpan.MaxValue, prober.NextTimeout);
        Assert.False(RelayAddress.IsRelay(Home));
    }

    private bool Answer(IPEndPoint from, byte[] data)
    {
        _prober.Answered(data);
        return _prober.TryProve(from);
    }

    private IReadOnlyList<Sent> Run(TimeSpan time)
    {
        var sent = new List<Sent>();
        TimeSpan end = _now + time;
        while (true)
        {
            while (_prober.TryNext(_now, out IPEndPoint to, out FrameType type, out ReadOnlySpan<byte> data))
            {
                sent.Add(new Sent(to, type, data.ToArray()));
            }

            if (_prober.NextTimeout > end)
            {
                _now = end;
                return sent;
            }

            _now = _prober.NextTimeout;
        }
    }

    private sealed record Sent(IPEndPoint To, FrameType Type, byte[] Data);
}
