using System.Text.Json;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Noise;

namespace AgentMesh.Protocol.Tests.Crypto;

/// <summary>
/// The product speaks one pattern; the machine that speaks it is checked with every pattern of the vectors that has its curve, ciphers and hash.
/// </summary>
public class NoiseVectorTests
{
    public static TheoryData<string> Names()
    {
        var names = new TheoryData<string>();
        foreach (JsonElement vector in Vectors().Where(IsOurs))
        {
            names.Add(vector.GetProperty("protocol_name").GetString()!);
        }

        return names;
    }

    [Fact]
    public void Vectors_include_the_pattern_in_use() =>
        Assert.Equal(2, Vectors().Where(IsOurs).Count(v => v.GetProperty("protocol_name").GetString()!.StartsWith("Noise_IKpsk2_", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Names))]
    public void Handshake_and_transport_messages_match(string name)
    {
        JsonElement vector = Vectors().Single(v => v.GetProperty("protocol_name").GetString() == name);
        string[] parts = name.Split('_');
        NoisePattern pattern = parts[1] == "IKpsk2" ? NoisePattern.IKpsk2 : NoisePatternText.Parse(parts[1]);
        CipherSuite suite = parts[3] == "AESGCM" ? CipherSuite.Aes256Gcm : CipherSuite.ChaCha20Poly1305;
        using HandshakeState initiator = Side(vector, pattern, suite, isInitiator: true);
        using HandshakeState responder = Side(vector, pattern, suite, isInitiator: false);

        JsonElement[] messages = [.. vector.GetProperty("messages").EnumerateArray()];
        byte[] buffer = new byte[1024];
        int handshakeMessages = pattern.Messages.Count;
        for (int i = 0; i < handshakeMessages; i++)
        {
            (HandshakeState writer, HandshakeState reader) = i % 2 == 0 ? (initiator, responder) : (responder, initiator);
            byte[] payload = messages[i].Hex("payload"), expected = messages[i].Hex("ciphertext"), read = new byte[payload.Length];
            Assert.True(writer.TryWrite(payload, buffer, out int length));
            Assert.Equal(expected, buffer[..length]);
            Assert.False(reader.Copy().TryRead(buffer.AsSpan(0, length - 1), read), "a copy that fails leaves the original good");
            Assert.True(reader.TryRead(buffer.AsSpan(0, length), read));
            Assert.Equal(payload, read);
        }

        Assert.Equal(vector.Hex("handshake_hash"), initiator.HandshakeHash.ToArray());
        Assert.Equal(vector.Hex("handshake_hash"), responder.HandshakeHash.ToArray());
        CheckTransport(messages[handshakeMessages..], handshakeMessages, initiator, suite);
    }

    private static void CheckTransport(JsonElement[] messages, int sent, HandshakeState state, CipherSuite suite)
    {
        byte[] initiatorKey = new byte[32], responderKey = new byte[32];
        state.Split(initiatorKey, responderKey);
        using var fromInitiator = new CipherState(suite);
        using var fromResponder = new CipherState(suite);
        fromInitiator.InitializeKey(initiatorKey);
        fromResponder.InitializeKey(responderKey);
        for (int i = 0; i < messages.Length; i++)
        {
            CipherState writer = (sent + i) % 2 == 0 ? fromInitiator : fromResponder;
            byte[] payload = messages[i].Hex("payload"), output = new byte[payload.Length + writer.Overhead];
            writer.Encrypt(default, payload, output);
            Assert.Equal(messages[i].Hex("ciphertext"), output);
        }
    }

    private static HandshakeState Side(JsonElement vector, NoisePattern pattern, CipherSuite suite, bool isInitiator)
    {
        string me = isInitiator ? "init" : "resp";
        byte[] staticPrivate = vector.HexOrEmpty($"{me}_static");
        byte[] staticPublic = new byte[staticPrivate.Length];
        if (staticPrivate.Length > 0)
        {
            X25519.PublicKeyOf(staticPrivate, staticPublic);
        }

        var state = new HandshakeState(
            pattern, suite, isInitiator, vector.Hex($"{me}_prologue"), vector.Hex($"{me}_ephemeral"), staticPrivate, staticPublic, vector.HexOrEmpty($"{me}_remote_static"));
        if (vector.TryGetProperty($"{me}_psks", out JsonElement psks))
        {
            state.SetPsk(Convert.FromHexString(psks[0].GetString()!));
        }

        return state;
    }

    private static IEnumerable<JsonElement> Vectors() => VectorFile.Read("noise.json").GetProperty("vectors").EnumerateArray();

    private static bool IsOurs(JsonElement vector)
    {
        string name = vector.GetProperty("protocol_name").GetString()!;
        return name.Contains("_25519_", StringComparison.Ordinal) && name.EndsWith("_SHA256", StringComparison.Ordinal);
    }
}
