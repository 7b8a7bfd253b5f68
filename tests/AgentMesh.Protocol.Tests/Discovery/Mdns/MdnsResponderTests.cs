using System.Net;
using AgentMesh.Protocol.Discovery.Mdns;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Discovery.Mdns;

public sealed class MdnsResponderTests
{
    private const string Label = "0123456789abcdef0123";
    private const string Instance = Label + "." + MdnsNames.ServiceType;

    private static readonly IPEndPoint Asker = IPEndPoint.Parse("192.0.2.99:5353");

    private readonly MdnsService _service = new(Label, 14590, [IPAddress.Parse("192.0.2.7")], null);
    private readonly MdnsResponder _responder;
    private TimeSpan _now = TimeSpan.FromSeconds(100);

    public MdnsResponderTests() => _responder = new MdnsResponder(_service, new SeededEntropy(1), _now);

    [Fact]
    public void It_probes_three_times_and_announces_twice_before_it_is_settled()
    {
        DnsMessage[] said = Settle();
        Assert.Equal([false, false, false, true, true], said.Select(message => message.IsResponse));
        Assert.All(said[..3], probe => Assert.Contains(probe.Questions, question => question is { Name: Instance, Type: DnsType.Any }));
        Assert.All(said[..3], probe => Assert.Contains(probe.Authorities, record => record is { Type: DnsType.Srv, Port: 14590, IsUnique: false }));
        Assert.Equal([true, false, false], said[..3].Select(probe => probe.Questions[0].WantsUnicast));
        Assert.Contains(said[3].Answers, record => record is { Type: DnsType.Srv, IsUnique: true });
        Assert.Contains(said[3].Answers, record => record is { Type: DnsType.Ptr, IsUnique: false, Target: Instance });
        Assert.Equal(TimeSpan.MaxValue, _responder.Next);
        Assert.True(_responder.IsKnown);
    }

    [Fact]
    public void No_name_is_said_unless_it_is_allowed()
    {
        Assert.Equal("03763d31", TextOf(_service));
        Assert.Equal("03763d31" + "066e3d626f7861", TextOf(_service with { DeviceName = "boxa" }));
        static string TextOf(MdnsService service) => Convert.ToHexStringLower(service.Records(0).All.Single(record => record.Type == DnsType.Txt).Data);
    }

    [Fact]
    public void Who_asks_for_the_service_gets_all_of_it_from_which_the_device_can_be_reached()
    {
        Settle();
        Ask(new DnsQuestion(MdnsNames.ServiceType, DnsType.Ptr, false));
        Assert.InRange(_responder.Next - _now, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(120));
        DnsMessage answer = Assert.Single(Run());
        Assert.Equal(Instance, Assert.Single(answer.Answers).Target);
        Assert.Equal([DnsType.Srv, DnsType.Txt, DnsType.A], answer.Additionals.Select(record => record.Type));
    }

    [Fact]
    public void All_types_of_services_are_listed()
    {
        Settle();
        Ask(new DnsQuestion(MdnsNames.AllTypes, DnsType.Ptr, false));
        Assert.Equal(MdnsNames.ServiceType, Assert.Single(Assert.Single(Run()).Answers).Target);
    }

    [Fact]
    public void What_the_asker_knows_is_not_said_again_unless_it_is_about_to_forget_it()
    {
        Settle();
        DnsRecord known = DnsRecord.Pointer(MdnsNames.ServiceType, 3_000, Instance);
        Ask(new DnsQuestion(MdnsNames.ServiceType, DnsType.Ptr, false), known);
        Assert.Empty(Run());
        Ask(new DnsQuestion(MdnsNames.ServiceType, DnsType.Ptr, false), known with { Seconds = 2_000 });
        Assert.Single(Run());
    }

    [Fact]
    public void The_rest_of_what_is_known_may_follow_a_truncated_question()
    {
        Settle();
        byte[] question = DnsWriter.Query([new DnsQuestion(MdnsNames.ServiceType, DnsType.Ptr, false)], [], []);
        question[2] |= 2;
        _responder.Handle(DnsMessage.TryRead(question)!, Asker, isOwn: false, _now);
        Assert.InRange(_responder.Next - _now, TimeSpan.FromMilliseconds(400), TimeSpan.FromMilliseconds(500));
        Hear(DnsWriter.Query([], [DnsRecord.Pointer(MdnsNames.ServiceType, 4_000, Instance)], []));
        Assert.Empty(Run());
    }

    [Fact]
    public void A_record_is_said_to_all_once_a_second_at_most()
    {
        Settle();
        int said = 0;
        for (int i = 0; i < 200; i++)
        {
            Ask(new DnsQuestion(Instance, DnsType.Srv, false));
            _now += TimeSpan.FromMilliseconds(10);
            _responder.Tick(_now);
            said += Take().Length;
        }

        Assert.InRange(said, 2, 3);
    }

    [Fact]
    public void Who_asks_to_be_answered_alone_is_where_all_have_heard_it_not_long_ago()
    {
        Settle();
        Ask(new DnsQuestion(Instance, DnsType.Srv, true));
        Assert.True(_responder.TryTransmit(out MdnsTransmit alone));
        Assert.Equal(Asker, alone.To);
        _now += TimeSpan.FromSeconds(31);
        Ask(new DnsQuestion(Instance, DnsType.Srv, true));
        Assert.True(_responder.TryTransmit(out MdnsTransmit all));
        Assert.Null(all.To);
    }

    [Fact]
    public void A_resolver_of_the_old_kind_is_answered_alone_with_its_id_and_question()
    {
        Settle();
        byte[] query = DnsWriter.Query([new DnsQuestion(MdnsNames.ServiceType, DnsType.Ptr, false)], [], []);
        (query[0], query[1]) = (0x12, 0x34);
        _responder.Handle(DnsMessage.TryRead(query)!, IPEndPoint.Parse("192.0.2.99:40000"), isOwn: false, _now);
        Assert.True(_responder.TryTransmit(out MdnsTransmit transmit));
        DnsMessage answer = DnsMessage.TryRead(transmit.Bytes)!;
        Assert.Equal(40000, transmit.To!.Port);
        Assert.Equal((0x1234, 1), (answer.Id, answer.Questions.Count));
        Assert.All(answer.Records, record => Assert.True(record is { IsUnique: false, Seconds: <= 10 }));
    }

    [Fact]
    public void A_name_that_somebody_has_is_given_up_while_it_is_probed()
    {
        _now = _responder.Next;
        _responder.Tick(_now);
        Hear(DnsWriter.Answer([DnsRecord.Service(Instance, 120, 1, "other.local")], []));
        Settle();
        Assert.Equal($"{Label}-2.{MdnsNames.ServiceType}", _responder.Instance);
        Assert.Equal(Label, MdnsNames.HashIn(_responder.Instance));
    }

    [Fact]
    public void A_name_that_somebody_claims_later_is_asked_for_again_and_kept_if_nobody_answers()
    {
        Settle();
        Hear(DnsWriter.Answer([DnsRecord.Service(Instance, 120, 1, "other.local")], []));
        Assert.False(_responder.IsKnown);
        DnsMessage[] said = Settle();
        Assert.Equal(5, said.Length);
        Assert.Equal(Instance, _responder.Instance);
    }

    [Fact]
    public void Its_own_words_and_those_of_its_other_interface_contradict_nothing()
    {
        MdnsService elsewhere = _service with { Addresses = [IPAddress.Parse("192.0.2.8")] };
        Settle();
        Hear(DnsWriter.Answer(_service.Records(0).All, []));
        Assert.True(_responder.IsKnown);
        _responder.Handle(DnsMessage.TryRead(DnsWriter.Answer(elsewhere.Records(0).All, []))!, Asker, isOwn: true, _now);
        Assert.True(_responder.IsKnown);
    }

    [Fact]
    public void Of_two_that_begin_at_once_the_one_with_the_greater_data_stays()
    {
        _now = _responder.Next;
        _responder.Tick(_now);
        Take();
        Hear(DnsWriter.Query([new DnsQuestion(Instance, DnsType.Any, true)], [], (_service with { Port = 1 }).Records(0).Unique));
        Assert.Equal(TimeSpan.FromMilliseconds(250), _responder.Next - _now);
        Hear(DnsWriter.Query([new DnsQuestion(Instance, DnsType.Any, true)], [], (_service with { Port = 20_000 }).Records(0).Unique));
        Assert.Equal(TimeSpan.FromSeconds(1), _responder.Next - _now);
        Assert.Equal(3, Settle().Count(message => !message.IsResponse));
    }

    [Fact]
    public void Somebody_who_contradicts_for_ever_makes_it_speak_little()
    {
        int said = 0;
        TimeSpan end = _now + TimeSpan.FromMinutes(10);
        while (_now < end)
        {
            _now += TimeSpan.FromMilliseconds(100);
            _responder.Tick(_now);
            said += Take().Length;
            Hear(DnsWriter.Answer([DnsRecord.Service(_responder.Instance, 120, 1, "other.local")], []));
        }

        Assert.InRange(said, 1, 200);
    }

    [Fact]
    public void Goodbye_takes_back_everything_that_was_said_of_this_device()
    {
        Settle();
        _responder.Goodbye();
        DnsMessage bye = Assert.Single(Take());
        Assert.All(bye.Answers, record => Assert.Equal(0u, record.Seconds));
        Assert.Contains(bye.Answers, record => record.Target == Instance);
        Assert.DoesNotContain(bye.Answers, record => record.Name == MdnsNames.AllTypes);
    }

    private void Ask(DnsQuestion question, params DnsRecord[] known) => Hear(DnsWriter.Query([question], known, []));

    private void Hear(byte[] bytes) => _responder.Handle(DnsMessage.TryRead(bytes)!, Asker, isOwn: false, _now);

    private DnsMessage[] Take()
    {
        var said = new List<DnsMessage>();
        while (_responder.TryTransmit(out MdnsTransmit transmit))
        {
            said.Add(DnsMessage.TryRead(transmit.Bytes)!);
        }

        return [.. said];
    }

    /// <summary>Until there is nothing to wait for; then two seconds pass.</summary>
    private DnsMessage[] Settle()
    {
        DnsMessage[] said = Run();
        _now += TimeSpan.FromSeconds(2);
        return said;
    }

    private DnsMessage[] Run()
    {
        var said = new List<DnsMessage>();
        while (_responder.Next < TimeSpan.MaxValue)
        {
            _now = _responder.Next > _now ? _responder.Next : _now;
            _responder.Tick(_now);
            said.AddRange(Take());
        }

        return [.. said, .. Take()];
    }
}
