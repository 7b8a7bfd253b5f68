using System.Net;
using System.Text.Json.Nodes;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Tests.Handshake;

/// <summary>A whole session computed from the inputs of a vector: every random value is given, so every byte is determined.</summary>
internal static class WireVector
{
    private static readonly IPEndPoint InitiatorAddress = new(IPAddress.Parse("192.0.2.1"), 1001);
    private static readonly IPEndPoint ResponderAddress = new(IPAddress.Parse("192.0.2.2"), 1002);

    public static JsonObject Compute(JsonObject given)
    {
        var suite = (CipherSuite)(byte)given["suite"]!;
        var now = new MeshInstant(TimeSpan.FromHours(1), DateTimeOffset.UnixEpoch.AddTicks((long)given["stamp"]!));
        InvitationSecret secret = given["invitationSecret"] is { } text ? new InvitationSecret(Convert.FromHexString((string)text!)) : default;
        DeviceIdentity initiator = DeviceIdentity.FromSeed(Bytes(given, "initiatorSeed")), responder = DeviceIdentity.FromSeed(Bytes(given, "responderSeed"));
        var settings = new HandshakeSettings { Suite = suite, AnswersForgotten = false }; // ids and parameters as given
        using var i = new HandshakeEndpoint(
            initiator,
            new Everybody(secret),
            settings,
            new InitiationStamps(0, null),
            Bytes(given, "initiatorParameters"),
            Entropy(given, "initiatorInstance", "jitter", "initiatorConnectionId", "initiatorEphemeral", "rekeyRequestEphemeral"));
        using var r = new HandshakeEndpoint(
            responder,
            new Everybody(secret),
            settings,
            new InitiationStamps(0, null),
            Bytes(given, "responderParameters"),
            Entropy(given, "responderInstance", "responderEphemeral", "responderConnectionId", "rekeyAnswerEphemeral"));

        Assert.True(i.TryConnect(responder.PublicKey, [ResponderAddress], secret, now));
        byte[] initiation = Next(i);
        Assert.Equal(HandshakeOutcome.Answered, r.HandleDatagram(initiation, InitiatorAddress, now));
        byte[] response = Next(r);
        Assert.Equal(HandshakeOutcome.Accepted, i.HandleDatagram(response, ResponderAddress, now));
        EstablishedSession fromInitiator = Session(i);
        byte[] first = Seal(fromInitiator, given, "payload", 0, now.Monotonic);
        Assert.True(r.TryConfirm(first, InitiatorAddress, now));
        EstablishedSession fromResponder = Session(r);
        Assert.Equal(OpenStatus.Opened, fromResponder.Protector.Open([.. first], default, now.Monotonic, out _));
        byte[] back = Seal(fromResponder, given, "payload", 0x1_0000_0001, now.Monotonic);

        TimeSpan later = now.Monotonic + TimeSpan.FromSeconds(120);
        byte[] request = Rekey(fromInitiator, later);
        Assert.True(fromResponder.Protector.HandleRekey(request, later));
        byte[] answer = Rekey(fromResponder, later);
        Assert.True(fromInitiator.Protector.HandleRekey(answer, later));
        return new JsonObject
        {
            ["initiatorId"] = initiator.Id.ToString(),
            ["initiatorKey"] = Convert.ToHexStringLower(initiator.PublicKey.Span),
            ["responderId"] = responder.Id.ToString(),
            ["responderKey"] = Convert.ToHexStringLower(responder.PublicKey.Span),
            ["initiation"] = Convert.ToHexStringLower(initiation),
            ["response"] = Convert.ToHexStringLower(response),
            ["handshakeHash"] = Convert.ToHexStringLower(fromInitiator.HandshakeHash.Span),
            ["checkDigits"] = fromResponder.ComputeCheckDigits().ToString(),
            ["packet0OfInitiator"] = Convert.ToHexStringLower(first),
            ["packet4294967297OfResponder"] = Convert.ToHexStringLower(back),
            ["rekeyRequest"] = Convert.ToHexStringLower(request),
            ["rekeyAnswer"] = Convert.ToHexStringLower(answer),
            ["packet1OfInitiatorInEpoch1"] = Convert.ToHexStringLower(Seal(fromInitiator, given, "payload", 1, later)),
        };
    }

    private static byte[] Bytes(JsonObject given, string name) => Convert.FromHexString((string)given[name]!);

    private static QueuedEntropy Entropy(JsonObject given, params string[] names) => new([.. names.Select(n => Bytes(given, n))]);

    private static byte[] Next(HandshakeEndpoint endpoint)
    {
        byte[] buffer = new byte[HandshakeEndpoint.MaxDatagramBytes];
        Assert.True(endpoint.TryTransmit(buffer, out HandshakeTransmit transmit));
        return buffer[..transmit.Length];
    }

    private static EstablishedSession Session(HandshakeEndpoint endpoint)
    {
        Assert.True(endpoint.TryReadEvent(out HandshakeEvent? happened));
        return Assert.IsType<SessionEstablished>(happened).Session;
    }

    private static byte[] Seal(EstablishedSession session, JsonObject given, string payload, ulong number, TimeSpan now)
    {
        byte[] plain = Bytes(given, payload), packet = new byte[plain.Length + PacketLayout.Overhead];
        plain.CopyTo(packet, PacketLayout.HeaderBytes);
        Assert.True(session.Protector.TrySeal(packet, plain.Length, session.RemoteConnectionId, default, number, now, out _));
        return packet;
    }

    private static byte[] Rekey(EstablishedSession session, TimeSpan now)
    {
        byte[] message = new byte[RekeyMessage.Size];
        Assert.True(session.Protector.TryWriteRekey(message, now, out _));
        return message;
    }

    private sealed class Everybody(InvitationSecret secret) : IAdmission
    {
        public bool IsAdmitted(DevicePublicKey key) => secret.IsNone;

        public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) =>
            !secret.IsNone && id == secret.Id ? new(InvitationStatus.Open, secret) : new(InvitationStatus.Unknown, default);

        public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => true;
    }

    private sealed class QueuedEntropy(Queue<byte[]> values) : IEntropy
    {
        public QueuedEntropy(byte[][] values)
            : this(new Queue<byte[]>(values))
        {
        }

        public void Fill(Span<byte> destination)
        {
            byte[] value = values.Dequeue();
            Assert.Equal(destination.Length, value.Length);
            value.CopyTo(destination);
        }
    }
}
