using System.Net;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Discovery;

public sealed class LanListenerTests
{
    private readonly LanWorld _world = new();

    [Theory]
    [InlineData("192.0.2.7")]
    [InlineData("fe80::1")]
    public void An_announcement_of_an_admitted_device_says_where_it_is(string address)
    {
        IPAddress source = IPAddress.Parse(address);
        byte[] datagram = new LanAnnouncer(_world.Devices[1]).Announce(source, 4711, wantsAnswer: true, _world.Wall);

        Assert.Equal(LanOutcome.Accepted, _world.Give(datagram, source));
        Assert.Equal(new LanSighting(_world.Devices[1].Id, new IPEndPoint(source, 4711), WantsAnswer: true), _world.Sighting);
    }

    [Fact]
    public void The_scope_of_a_link_local_address_is_the_receivers_own()
    {
        byte[] datagram = new LanAnnouncer(_world.Devices[0]).Announce(IPAddress.Parse("fe80::1%3"), 4711, wantsAnswer: false, _world.Wall);

        Assert.Equal(LanOutcome.Accepted, _world.Give(datagram, IPAddress.Parse("fe80::1%8")));
        Assert.Equal(8, _world.Sighting.At.Address.ScopeId);
    }

    [Fact]
    public void A_stranger_costs_a_look_up_and_nothing_else()
    {
        byte[] datagram = new LanAnnouncer(DeviceIdentity.Create(new SeededEntropy(99))).Announce(LanWorld.Source, 4711, wantsAnswer: true, _world.Wall);

        Assert.Equal(LanOutcome.Stranger, _world.Give(datagram));
        Assert.Equal(0, _world.Listener.HashesChecked);
        Assert.Equal(0, _world.Listener.SourcesRemembered);
    }

    [Fact]
    public void A_device_that_is_no_longer_admitted_is_a_stranger()
    {
        _world.Listener.Admit([_world.Devices[1].PublicKey]);

        Assert.Equal(LanOutcome.Stranger, _world.Give(_world.Announcement(0)));
        Assert.Equal(LanOutcome.Accepted, _world.Give(_world.Announcement(1)));
    }

    [Fact]
    public void A_copy_from_another_address_is_refused_before_any_signature()
    {
        Assert.Equal(LanOutcome.Forged, _world.Give(_world.Announcement(), IPAddress.Parse("192.0.2.66")));
        Assert.Equal(0, _world.Listener.SignaturesChecked);
    }

    [Fact]
    public void Any_changed_bit_is_refused()
    {
        byte[] good = _world.Announcement();
        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            // Six flags and a byte are ignored as such, but authenticated like the rest.
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.NotEqual(LanOutcome.Accepted, _world.Give(bad));
            _world.Pass(TimeSpan.FromMilliseconds(200));
        }

        Assert.Equal(LanOutcome.Accepted, _world.Give(good));
    }

    [Fact]
    public void One_member_cannot_speak_for_another()
    {
        // It knows the key of the other, and so its tag and MAC.
        byte[] datagram = _world.Announcement(0);
        _world.Devices[1].Sign(LanAnnouncement.Signed(LanWorld.Source, datagram)).CopyTo(datagram, LanAnnouncement.HeadBytes);
        new LanKeys(_world.Devices[0].PublicKey).WriteMac(LanWorld.Source, datagram);

        Assert.Equal(LanOutcome.Forged, _world.Give(datagram));
        Assert.Equal(1, _world.Listener.SignaturesChecked);
        Assert.Equal(LanOutcome.Accepted, _world.Give(_world.Announcement(0)));
    }

    [Fact]
    public void A_replay_is_refused_without_a_signature()
    {
        byte[] datagram = _world.Announcement();
        Assert.Equal(LanOutcome.Accepted, _world.Give(datagram));

        Assert.Equal(LanOutcome.Replayed, _world.Give(datagram));
        Assert.Equal(1, _world.Listener.SignaturesChecked);
    }

    [Fact]
    public void Announcements_of_several_interfaces_may_arrive_in_any_order()
    {
        var announcer = new LanAnnouncer(_world.Devices[0]);
        byte[] first = announcer.Announce(LanWorld.Source, 1, wantsAnswer: false, _world.Wall);
        byte[] second = announcer.Announce(LanWorld.Source, 2, wantsAnswer: false, _world.Wall);

        Assert.Equal(LanOutcome.Accepted, _world.Give(second));
        Assert.Equal(LanOutcome.Accepted, _world.Give(first));
    }

    [Fact]
    public void A_device_whose_clock_was_set_back_is_heard_again_after_ten_minutes()
    {
        _world.Give(_world.Announcement());
        for (int i = 0; i < 70; i++)
        {
            _world.Pass(TimeSpan.FromSeconds(1));
            Assert.Equal(LanOutcome.Accepted, _world.Give(_world.Announcement()));
        }

        DateTimeOffset back = _world.Wall - TimeSpan.FromMinutes(5);
        Assert.Equal(LanOutcome.Replayed, _world.Give(_world.Announcement(at: back)));
        _world.Pass(TimeSpan.FromMinutes(11));
        Assert.Equal(LanOutcome.Accepted, _world.Give(_world.Announcement(at: back)));
    }

    [Theory]
    [InlineData(-400 * 24)]
    [InlineData(400 * 24)]
    [InlineData(-2)]
    public void A_device_with_a_wrong_clock_is_found_too(int hours)
    {
        Assert.Equal(LanOutcome.Accepted, _world.Give(_world.Announcement(at: _world.Wall.AddHours(hours))));
    }

    [Fact]
    public void Strangers_cannot_have_tables_of_tags_made_without_end()
    {
        byte[] datagram = _world.Announcement();
        var random = new Random(5);
        for (int i = 0; i < 10_000; i++)
        {
            random.NextBytes(datagram.AsSpan(8, 8));
            Assert.Equal(LanOutcome.Stranger, _world.Give(datagram));
        }

        Assert.Equal(LanTags.FarTablesMax, _world.Listener.TagTablesMade);
        Assert.Equal(LanOutcome.Accepted, _world.Give(_world.Announcement()));
    }

    [Fact]
    public void Ten_thousand_copies_with_forged_addresses_cost_hashes_within_the_allowance_and_no_signature()
    {
        byte[] datagram = _world.Announcement();
        for (int i = 0; i < 10_000; i++)
        {
            Assert.NotEqual(LanOutcome.Accepted, _world.Give(datagram, new IPAddress([10, 1, (byte)(i >> 8), (byte)i])));
        }

        Assert.Equal(0, _world.Listener.SignaturesChecked);
        Assert.InRange(_world.Listener.HashesChecked, 1, 2_000);
        Assert.InRange(_world.Listener.SourcesRemembered, 1, SourceAllowances.SourcesMax);
        _world.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(LanOutcome.Accepted, _world.Give(_world.Announcement()));
    }

    [Fact]
    public void A_member_that_floods_is_limited_and_the_others_are_heard()
    {
        // It may know everything but the secret key of the other.
        byte[] datagram = _world.Announcement(0);
        var keys = new LanKeys(_world.Devices[0].PublicKey);
        for (int i = 0; i < 10_000; i++)
        {
            var source = new IPAddress([10, 1, (byte)(i >> 4), (byte)i]);
            keys.WriteMac(source, datagram);
            Assert.NotEqual(LanOutcome.Accepted, _world.Give(datagram, source));
        }

        Assert.Equal(64, _world.Listener.SignaturesChecked);
        _world.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(LanOutcome.Accepted, _world.Give(_world.Announcement(1)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_and_damaged_bytes_never_throw_and_are_never_accepted(int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < 50_000; i++)
        {
            byte[] datagram = random.Next(3) == 0 ? _world.Announcement() : new byte[random.Next(LanAnnouncement.Size + 2)];
            if (datagram.Length != LanAnnouncement.Size || random.Next(2) == 0)
            {
                random.NextBytes(datagram);
                "aml\x01"u8[..Math.Min(4, datagram.Length)].CopyTo(datagram);
            }
            else
            {
                datagram[random.Next(datagram.Length)] ^= (byte)random.Next(1, 256);
            }

            LanOutcome outcome = _world.Give(datagram);
            Assert.True(outcome != LanOutcome.Accepted, $"seed {seed}, datagram {i}: {Convert.ToHexString(datagram)}");
            _world.Pass(TimeSpan.FromMilliseconds(100));
        }
    }

    [Fact]
    public void What_strangers_see_of_a_device_is_another_tag_every_fifteen_minutes()
    {
        LanAnnouncement.TryRead(_world.Announcement(), out LanAnnouncement now);
        LanAnnouncement.TryRead(_world.Announcement(at: _world.Wall.AddMinutes(14)), out LanAnnouncement soon);
        LanAnnouncement.TryRead(_world.Announcement(at: _world.Wall.AddMinutes(16)), out LanAnnouncement later);

        Assert.Equal(now.Tag, soon.Tag);
        Assert.NotEqual(now.Tag, later.Tag);
    }
}
