using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Connections;

public class WhereaboutsTests
{
    private static readonly IPEndPoint Home = new(IPAddress.Parse("192.0.2.1"), 1000);
    private static readonly IPEndPoint Hotel = new(IPAddress.Parse("198.51.100.7"), 2000);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly Whereabouts _where = new(Home, new SeededEntropy(1), waitsFirst: false);

    [Fact]
    public void Moves_to_an_address_that_answers()
    {
        Ask(Hotel, 1);
        _where.Answered(_where.Challenge);
        Assert.True(_where.TryMove(Hotel));
        Assert.Equal(Hotel, _where.Remote);
        Assert.Null(_where.Candidate);
    }

    [Fact]
    public void Stays_when_the_answer_is_wrong_or_comes_from_elsewhere()
    {
        Ask(Hotel, 1);
        _where.Answered(new byte[PathFrame.DataBytes]);
        Assert.False(_where.TryMove(Hotel));
        _where.Answered(_where.Challenge);
        Assert.False(_where.TryMove(Home));
        Assert.Equal(Home, _where.Remote);
    }

    [Fact]
    public void An_answer_to_a_question_that_was_not_sent_moves_nothing()
    {
        _where.Heard(Hotel, 1, Patience, TimeSpan.Zero);
        _where.Answered(_where.Challenge);
        Assert.False(_where.TryMove(Hotel));
    }

    [Fact]
    public void A_late_packet_raises_no_question()
    {
        _where.Heard(Home, 10, Patience, TimeSpan.Zero);
        _where.Heard(Hotel, 9, Patience, TimeSpan.Zero);
        Assert.False(_where.IsChallengePending);
    }

    [Fact]
    public void One_address_is_asked_again_only_after_a_while()
    {
        Ask(Hotel, 1);
        byte[] first = _where.Challenge.ToArray();
        _where.Heard(Hotel, 2, Patience, Patience / 2);
        Assert.False(_where.IsChallengePending);
        _where.Heard(Hotel, 3, Patience, Patience);
        Assert.True(_where.IsChallengePending);
        Assert.Equal(first, _where.Challenge.ToArray()); // an answer to the first one still counts
    }

    [Fact]
    public void Acknowledgements_alone_from_the_known_address_do_not_end_the_question()
    {
        Ask(Hotel, 1);
        _where.Heard(Home, 2, Patience, TimeSpan.Zero, acksOnly: true);
        _where.Answered(_where.Challenge);
        Assert.True(_where.TryMove(Hotel));
    }

    [Fact]
    public void A_newer_packet_from_the_known_address_ends_the_question()
    {
        Ask(Hotel, 1);
        _where.Heard(Home, 2, Patience, TimeSpan.Zero);
        _where.Answered(_where.Challenge);
        Assert.False(_where.TryMove(Hotel));
    }

    [Fact]
    public void However_many_addresses_appear_one_question_is_put_in_its_time()
    {
        int questions = 0;
        for (int i = 0; i < 1_000; i++)
        {
            _where.Heard(new IPEndPoint(Hotel.Address, 1 + i), (ulong)(2 * i) + 1, Patience, Patience * i / 100);
            if (_where.IsChallengePending)
            {
                questions++;
                _where.ChallengeSent();
            }

            _where.Heard(Home, (ulong)(2 * i) + 2, Patience, Patience * i / 100);
        }

        Assert.Equal(10, questions);
    }

    [Fact]
    public void An_address_that_never_answers_is_asked_nine_times_however_long_packets_seem_to_come_from_there()
    {
        int questions = 0;
        for (int i = 0; i < 100; i++)
        {
            _where.Heard(Hotel, (ulong)i + 1, Patience, Patience * i);
            questions += _where.IsChallengePending ? 1 : 0;
            _where.ChallengeSent();
        }

        Assert.Equal(PathProber.ProbesMax, questions);
        _where.Heard(Hotel, 200, Patience, PathProber.BudgetTime + Patience);
        Assert.True(_where.IsChallengePending);
    }

    [Fact]
    public void Too_many_addresses_are_not_asked_and_not_remembered()
    {
        int questions = 0;
        for (int i = 0; i < 1_000; i++)
        {
            _where.Heard(new IPEndPoint(Hotel.Address, 1 + i), (ulong)i + 1, Patience, Patience * i);
            questions += _where.IsChallengePending ? 1 : 0;
            _where.ChallengeSent();
        }

        Assert.Equal(QuestionAllowance.RememberedMax, questions);
    }

    [Fact]
    public void The_side_that_waits_asks_when_packets_still_come_from_there()
    {
        var patient = new Whereabouts(Home, new SeededEntropy(1), waitsFirst: true);
        patient.Heard(Hotel, 1, Patience, TimeSpan.Zero);
        Assert.False(patient.IsChallengePending);
        patient.Heard(Home, 2, Patience, Patience);
        patient.Heard(Hotel, 3, Patience, Patience);
        Assert.False(patient.IsChallengePending);
        patient.Heard(Hotel, 4, Patience, Patience * 2);
        Assert.True(patient.IsChallengePending);
    }

    [Fact]
    public void Does_not_leave_the_machine()
    {
        var local = new Whereabouts(new IPEndPoint(IPAddress.Loopback, 1000), new SeededEntropy(1), waitsFirst: false);
        local.Heard(Hotel, 1, Patience, TimeSpan.Zero);
        Assert.False(local.IsChallengePending);
        local.Heard(new IPEndPoint(IPAddress.Loopback, 1001), 2, Patience, TimeSpan.Zero);
        Assert.True(local.IsChallengePending);
    }

    [Fact]
    public void Path_frames_are_read_back_and_truncated_ones_refused()
    {
        byte[] bytes = new byte[PathFrame.Size];
        Assert.Equal(PathFrame.Size, PathFrame.Write(bytes, FrameType.PathResponse, "12345678"u8));
        Assert.Equal(0x0c, bytes[0]);
        for (int length = 0; length < PathFrame.DataBytes; length++)
        {
            ReadOnlySpan<byte> cut = bytes.AsSpan(1, length);
            Assert.False(PathFrame.TryRead(ref cut, out _));
        }

        ReadOnlySpan<byte> whole = bytes.AsSpan(1);
        Assert.True(PathFrame.TryRead(ref whole, out ReadOnlySpan<byte> data));
        Assert.True(data.SequenceEqual("12345678"u8));
    }

    private void Ask(IPEndPoint from, ulong number)
    {
        _where.Heard(from, number, Patience, TimeSpan.Zero);
        Assert.True(_where.IsChallengePending);
        _where.ChallengeSent();
    }
}
