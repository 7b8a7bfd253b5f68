using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Tests.Packets;

public class RekeyTests
{
    private readonly ProtectorPair _pair = new();

    private PacketProtector Initiator => _pair.Initiator;

    private PacketProtector Responder => _pair.Responder;

    [Fact]
    public void Keys_are_renewed_when_their_time_has_come_and_not_before()
    {
        _pair.Now += TimeSpan.FromSeconds(119);
        Assert.Null(_pair.RekeyMessageOf(Initiator));
        Assert.Equal(TimeSpan.FromSeconds(1), Initiator.NextWakeUp - _pair.Now);

        _pair.Now += TimeSpan.FromSeconds(1);
        _pair.Renew(Initiator, Responder);
        Assert.Equal((1u, 1u), (Initiator.Epoch, Responder.Epoch));
        _pair.Exchange();
        Assert.Null(_pair.RekeyMessageOf(Initiator));
    }

    [Fact]
    public void Keys_are_renewed_after_their_number_of_packets()
    {
        var pair = new ProtectorPair(settings: new RekeySettings { PacketsMax = 10 });
        for (int i = 0; i < 9; i++)
        {
            pair.Seal(pair.Responder, "x"u8);
        }

        Assert.Null(pair.RekeyMessageOf(pair.Responder));
        pair.Seal(pair.Responder, "x"u8);
        Assert.True(pair.Responder.NextWakeUp <= pair.Now);
        pair.Renew(pair.Responder, pair.Initiator);
        Assert.Equal(1u, pair.Initiator.Epoch);
    }

    [Fact]
    public void Nothing_is_sealed_after_twice_that_number()
    {
        var pair = new ProtectorPair(settings: new RekeySettings { PacketsMax = 10 });
        for (int i = 0; i < 20; i++)
        {
            pair.Seal(pair.Initiator, "x"u8);
        }

        Assert.True(pair.Initiator.IsExpired(pair.Now));
        Assert.False(pair.Initiator.TrySeal(new byte[100], 10, default, default, 1000, pair.Now, out _));
    }

    [Fact]
    public void Session_lives_through_a_hundred_renewals_from_either_side()
    {
        for (int i = 0; i < 100; i++)
        {
            _pair.Now += TimeSpan.FromSeconds(133);
            (PacketProtector from, PacketProtector to) = i % 3 == 0 ? (Responder, Initiator) : (Initiator, Responder);
            _pair.Renew(from, to);
            _pair.Exchange();
        }

        Assert.Equal((100u, 100u), (Initiator.Epoch, Responder.Epoch));
    }

    [Fact]
    public void Packets_of_three_epochs_are_opened_in_any_order()
    {
        byte[] epoch0 = _pair.Seal(Initiator, "old"u8), late0 = _pair.Seal(Initiator, "late"u8);
        byte[] back0 = _pair.Seal(Responder, "old"u8);
        _pair.Now += TimeSpan.FromSeconds(120);
        byte[] request = _pair.RekeyMessageOf(Initiator)!;
        Assert.True(Responder.HandleRekey(request, _pair.Now));
        byte[] answer = _pair.RekeyMessageOf(Responder)!;
        byte[] stillOld = _pair.Seal(Responder, "sealed before the other side is known to have the keys"u8);
        Assert.Equal(0u, Responder.Epoch);
        Assert.True(Initiator.HandleRekey(answer, _pair.Now));
        byte[] epoch1 = _pair.Seal(Initiator, "new"u8);

        Assert.Equal(OpenStatus.Opened, _pair.Open(Responder, epoch0));
        Assert.Equal(OpenStatus.Opened, _pair.Open(Responder, epoch1));
        Assert.Equal(1u, Responder.Epoch);
        Assert.Equal(OpenStatus.Opened, _pair.Open(Responder, late0));
        Assert.Equal(OpenStatus.Opened, _pair.Open(Initiator, _pair.Seal(Responder, "new"u8)));
        Assert.Equal(OpenStatus.Opened, _pair.Open(Initiator, stillOld));
        Assert.Equal(OpenStatus.Opened, _pair.Open(Initiator, back0));
    }

    [Fact]
    public void Old_keys_are_refused_after_180_seconds()
    {
        byte[] old = _pair.Seal(Initiator, "old"u8), older = _pair.Seal(Initiator, "older"u8);
        _pair.Now += TimeSpan.FromSeconds(120);
        _pair.Renew(Initiator, Responder);
        _pair.Now += TimeSpan.FromSeconds(59);
        Assert.Equal(OpenStatus.Opened, _pair.Open(Responder, old));
        Assert.Equal(TimeSpan.FromSeconds(1), Responder.NextWakeUp - _pair.Now);
        _pair.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(OpenStatus.UnknownEpoch, _pair.Open(Responder, older));
        _pair.RekeyMessageOf(Responder); // erases them
        Assert.True(Responder.NextWakeUp > _pair.Now);
    }

    [Fact]
    public void Epoch_two_behind_is_refused_however_young()
    {
        var pair = new ProtectorPair(settings: new RekeySettings { PacketsMax = 1 });
        byte[] old = pair.Seal(pair.Initiator, "old"u8), back = pair.Seal(pair.Responder, "old"u8);
        for (int i = 0; i < 2; i++)
        {
            pair.Renew(pair.Initiator, pair.Responder);
            Assert.Equal(OpenStatus.Opened, pair.Open(pair.Initiator, pair.Seal(pair.Responder, "x"u8)));
        }

        Assert.Equal(OpenStatus.UnknownEpoch, pair.Open(pair.Responder, old));
        Assert.Equal(OpenStatus.UnknownEpoch, pair.Open(pair.Initiator, back));
    }

    [Fact]
    public void Side_whose_request_lost_can_ask_again_later()
    {
        Of_two_requests_at_once_that_of_the_initiator_counts();
        _pair.Now += TimeSpan.FromSeconds(140);
        _pair.Renew(Responder, Initiator);
        _pair.Exchange();
        Assert.Equal((2u, 2u), (Initiator.Epoch, Responder.Epoch));
    }

    [Fact]
    public void Session_without_renewal_ends()
    {
        byte[] packet = _pair.Seal(Initiator, "x"u8);
        _pair.Now += TimeSpan.FromSeconds(180);
        Assert.True(Initiator.IsExpired(_pair.Now));
        Assert.False(Initiator.TrySeal(new byte[100], 10, default, default, 9, _pair.Now, out _));
        Assert.Equal(OpenStatus.UnknownEpoch, _pair.Open(Responder, packet));
    }

    [Fact]
    public void Of_two_requests_at_once_that_of_the_initiator_counts()
    {
        _pair.Now += TimeSpan.FromSeconds(140);
        byte[] fromInitiator = _pair.RekeyMessageOf(Initiator)!, fromResponder = _pair.RekeyMessageOf(Responder)!;
        Assert.True(Initiator.HandleRekey(fromResponder, _pair.Now));
        Assert.Null(_pair.RekeyMessageOf(Initiator));
        Assert.True(Responder.HandleRekey(fromInitiator, _pair.Now));
        Assert.True(Initiator.HandleRekey(_pair.RekeyMessageOf(Responder)!, _pair.Now));
        _pair.Exchange();
        Assert.Equal((1u, 1u), (Initiator.Epoch, Responder.Epoch));
        Assert.True(Initiator.HandleRekey(fromResponder, _pair.Now), "late, harmless");
        _pair.Exchange();
    }

    [Fact]
    public void Repeated_messages_change_nothing()
    {
        _pair.Now += TimeSpan.FromSeconds(120);
        byte[] request = _pair.RekeyMessageOf(Initiator)!;
        Assert.True(Responder.HandleRekey(request, _pair.Now));
        byte[] answer = _pair.RekeyMessageOf(Responder)!;
        Assert.True(Responder.HandleRekey(request, _pair.Now));
        Assert.Null(_pair.RekeyMessageOf(Responder));
        for (int i = 0; i < 3; i++)
        {
            Assert.True(Initiator.HandleRekey(answer, _pair.Now));
            _pair.Exchange();
            Assert.True(Responder.HandleRekey(request, _pair.Now));
        }

        Assert.Equal((1u, 1u), (Initiator.Epoch, Responder.Epoch));
    }

    [Fact]
    public void What_no_correct_device_sends_is_a_violation()
    {
        _pair.Now += TimeSpan.FromSeconds(120);
        byte[] request = _pair.RekeyMessageOf(Initiator)!;
        byte[] answer = [.. request];
        answer[0] = 2;
        byte[] future = [.. request];
        future[4] = 2;
        byte[] lowOrder = [.. request[..5], .. new byte[32]];
        byte[] unknownKind = [.. request];
        unknownKind[0] = 3;

        Assert.False(Responder.HandleRekey(answer, _pair.Now));
        Assert.False(Responder.HandleRekey(future, _pair.Now));
        Assert.False(Responder.HandleRekey(lowOrder, _pair.Now));
        Assert.False(Responder.HandleRekey(unknownKind, _pair.Now));
        for (int length = 0; length < RekeyMessage.Size; length++)
        {
            Assert.False(Responder.HandleRekey(request.AsSpan(0, length), _pair.Now));
        }

        Assert.False(Responder.HandleRekey([.. request, 0], _pair.Now));
    }

    [Fact]
    public void Message_survives_a_round_trip()
    {
        byte[] bytes = Convert.FromHexString("0100000007" + string.Concat(Enumerable.Repeat("ab", 32)));
        Assert.True(RekeyMessage.TryRead(bytes, out RekeyMessage message));
        Assert.Equal((RekeyMessage.KindOf.Request, 7u), (message.Kind, message.Epoch));
        byte[] written = new byte[RekeyMessage.Size];
        message.Write(written);
        Assert.Equal(bytes, written);
    }
}
