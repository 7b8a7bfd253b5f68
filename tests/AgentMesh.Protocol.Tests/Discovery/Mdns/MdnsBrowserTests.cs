using System.Net;
using AgentMesh.Protocol.Discovery.Mdns;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Discovery.Mdns;

public sealed class MdnsBrowserTests
{
    private static readonly DevicePublicKey Key = DeviceIdentity.Create(new SeededEntropy(3)).PublicKey;
    private static readonly string Label = MdnsNames.InstanceOf(Key, 20_000);
    private static readonly MdnsService Service = new(Label, 14590, [IPAddress.Parse("192.0.2.7")], null);

    private readonly MdnsBrowser _browser = new(new SeededEntropy(1), TimeSpan.Zero);

    [Fact]
    public void It_asks_less_and_less_often()
    {
        var waits = new List<double>();
        for (int i = 0; i < 15; i++)
        {
            TimeSpan now = _browser.Next;
            _browser.Tick(now);
            Assert.True(_browser.TryTransmit(out _));
            waits.Add((_browser.Next - now).TotalSeconds);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600], waits);
    }

    [Fact]
    public void A_device_of_the_mesh_is_found_by_the_hash_of_its_day_with_and_without_a_suffix()
    {
        Assert.Equal([new MdnsSighting(Key.Id, 14590)], Hear(Service.Records(0).All));
        Assert.Equal([new MdnsSighting(Key.Id, 14590)], Hear(Service.Records(2).All));
        Assert.Empty(Hear((Service with { Label = MdnsNames.InstanceOf(Key, 20_001) }).Records(0).All));
        Assert.NotEqual(Label, MdnsNames.InstanceOf(Key, 20_001));
    }

    [Fact]
    public void A_goodbye_a_port_of_zero_and_another_type_are_no_sightings()
    {
        Assert.Empty(Hear([.. Service.Records(0).All.Select(record => record with { Seconds = 0 })]));
        Assert.Empty(Hear((Service with { Port = 0 }).Records(0).All));
        Assert.Empty(Hear([DnsRecord.Service($"{Label}._ipp._tcp.local", 120, 631, "x.local")]));
        Assert.Empty(Hear([DnsRecord.Service($"deeper.{Label}.{MdnsNames.ServiceType}", 120, 631, "x.local")]));
    }

    [Fact]
    public void A_name_without_a_port_is_asked_for_once_a_second_at_most()
    {
        for (int i = 0; i < 100; i++)
        {
            Hear([DnsRecord.Pointer(MdnsNames.ServiceType, 4500, $"{Label}.{MdnsNames.ServiceType}")]);
        }

        Assert.True(_browser.TryTransmit(out MdnsTransmit question));
        Assert.Equal(DnsType.Srv, DnsMessage.TryRead(question.Bytes)!.Questions[0].Type);
        Assert.False(_browser.TryTransmit(out _));
    }

    [Fact]
    public void What_is_known_goes_with_the_question_and_strangers_are_not_remembered()
    {
        Hear(Service.Records(0).All);
        for (int i = 0; i < 10_000; i++)
        {
            Hear((Service with { Label = $"{i:x20}" }).Records(0).All);
            Hear(Service.Records(i).All);
        }

        Assert.Equal(256, _browser.Known);
        while (_browser.TryTransmit(out _))
        {
        }

        _browser.Tick(_browser.Next);
        Assert.True(_browser.TryTransmit(out MdnsTransmit question));
        DnsMessage asked = DnsMessage.TryRead(question.Bytes)!;
        Assert.Equal(10, asked.Answers.Count);
        Assert.True(question.Bytes.Length < 1_400);
        Assert.Contains(asked.Answers, known => known.Target == $"{Label}.{MdnsNames.ServiceType}");
    }

    private IReadOnlyList<MdnsSighting> Hear(IReadOnlyList<DnsRecord> records) =>
        _browser.Handle(DnsMessage.TryRead(DnsWriter.Answer(records, []))!, hash => hash == Label ? Key.Id : null, TimeSpan.FromSeconds(1));
}
