using System.Net;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;

namespace AgentMesh.Protocol.Tests.Pairing.Codes;

/// <summary>Bytes that were cut or changed: dropped by either side, and never thrown about.</summary>
public sealed class CodeHostileBytesTests
{
    private readonly CodeWorld _world = new();

    [Fact]
    public void A_message_that_is_cut_anywhere_or_longer_is_dropped()
    {
        PairingCode code = _world.Invite(out _);
        _world.Join(code);
        foreach ((byte[] bytes, bool byJoiner) in _world.Sent.ToArray())
        {
            foreach (int length in Enumerable.Range(0, bytes.Length).Append(bytes.Length + 1))
            {
                byte[] cut = new byte[length];
                bytes.AsSpan(0, Math.Min(length, bytes.Length)).CopyTo(cut);
                Assert.False(CodeHead.TryRead(cut, out _) || CodeQuestion.TryRead(cut, out _), $"{bytes[1]} with {length} bytes");
                if (byJoiner)
                {
                    Assert.Empty(_world.Tell(cut, out CodeOutcome outcome));
                    Assert.Equal(CodeOutcome.Malformed, outcome);
                }
            }
        }
    }

    [Theory]
    [InlineData(CodeMessageType.Start)]
    [InlineData(CodeMessageType.Proof)]
    public void A_changed_bit_of_the_joiner_never_lets_anybody_in(object type)
    {
        for (int bit = 0; bit < 116 * 8; bit += 3)
        {
            var world = new CodeWorld();
            PairingCode code = world.Invite(out _);
            world.Filter = (datagram, byJoiner) =>
            {
                if (byJoiner && datagram[1] == (byte)(CodeMessageType)type && bit / 8 < datagram.Length && bit / 8 != 3)
                {
                    datagram[bit / 8] ^= (byte)(1 << bit % 8);
                }

                return datagram;
            };
            bool isWhole = bit / 8 == 3 || bit / 8 >= ((CodeMessageType)type == CodeMessageType.Start ? CodeShares.StartSize : CodeSeals.ProofSize);
            Assert.Equal(isWhole, world.Join(code).Invitation is not null);
        }
    }

    [Theory]
    [InlineData(CodeMessageType.Share)]
    [InlineData(CodeMessageType.Welcome)]
    public void A_changed_bit_of_the_inviter_never_makes_the_joiner_trust(object type)
    {
        for (int bit = 4 * 8; bit < CodeSeals.WelcomeSize * 8; bit += 5)
        {
            var world = new CodeWorld();
            PairingCode code = world.Invite(out _);
            world.Filter = (datagram, byJoiner) =>
            {
                if (!byJoiner && datagram[1] == (byte)(CodeMessageType)type && bit / 8 < datagram.Length)
                {
                    datagram[bit / 8] ^= (byte)(1 << bit % 8);
                }

                return datagram;
            };
            bool isWhole = (CodeMessageType)type == CodeMessageType.Share && bit / 8 >= CodeShares.ShareSize;
            Assert.Equal(isWhole, world.Join(code).Invitation is not null);
        }
    }

    [Fact]
    public void Noise_is_dropped_by_both_sides()
    {
        PairingCode code = _world.Invite(out _);
        using CodeJoiner joiner = _world.NewJoiner(code);
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] noise = new byte[random.Next(0, 200)];
            random.NextBytes(noise);
            if (noise.Length > 2 && i % 2 == 0)
            {
                (noise[0], noise[1], noise[2]) = (0x90, (byte)(i / 2 % 9), 1);
            }

            joiner.Handle(noise, IPEndPoint.Parse("192.0.2.1:14590"), _world.Now);
            _world.Tell(noise, out _);
        }

        Assert.Null(joiner.Result);
        Assert.NotNull(_world.Join(code).Invitation);
    }
}
