using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Pairing.Codes;

/// <summary>Devices that invite, and joiners, on one link with a clock of its own. What is sent arrives after a millisecond, unless the filter has its way; of several devices the newest answers first.</summary>
internal sealed class CodeWorld
{
    public const string JoinerAt = "192.0.2.7:14590";

    private readonly Dictionary<IPEndPoint, CodeInviter> _inviters = [];
    private TimeSpan _now = TimeSpan.FromSeconds(1_000);
    private int _seed = 100;

    public CodeWorld() => Inviter = Add("192.0.2.1:14590", Book);

    public static DeviceIdentity Joining { get; } = DeviceIdentity.Create(new SeededEntropy(7));

    public InvitationBook Book { get; } = new();

    public CodeInviter Inviter { get; }

    /// <summary>Sees every datagram, with who sends it; what it returns arrives instead, null is lost.</summary>
    public Func<byte[], bool, byte[]?> Filter { get; set; } = (datagram, _) => datagram;

    public List<(byte[] Bytes, bool ByJoiner)> Sent { get; } = [];

    public MeshInstant Now => new(_now, new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero) + _now);

    public void Pass(TimeSpan time) => _now += time;

    public CodeInviter Add(string at, InvitationBook book, IEntropy? entropy = null)
    {
        var inviter = new CodeInviter(DeviceIdentity.Create(new SeededEntropy(_seed++)), "box at " + at, book, entropy ?? new SeededEntropy(_seed++));
        _inviters.Add(IPEndPoint.Parse(at), inviter);
        return inviter;
    }

    /// <summary>An invitation of the first device, with its code.</summary>
    public PairingCode Invite(out InvitationId invitation, int minutes = 10)
    {
        invitation = Book.Create(Now.Wall, TimeSpan.FromMinutes(minutes), new SeededEntropy(_seed++)).Id;
        return Inviter.Offer(invitation);
    }

    /// <summary>Same first word, another rest.</summary>
    public static PairingCode WrongOf(PairingCode code) => new(code.Nameplate, 17, int.Parse(code.ToString()[^4..], System.Globalization.CultureInfo.InvariantCulture) ^ 1);

    public CodeJoiner NewJoiner(PairingCode code) => new(code, Joining.PublicKey, null, new SeededEntropy(_seed++), Now);

    public CodeResult Join(PairingCode code, string from = JoinerAt)
    {
        using CodeJoiner joiner = NewJoiner(code);
        return Run(joiner, from);
    }

    public CodeResult Run(CodeJoiner joiner, string from = JoinerAt)
    {
        IPEndPoint at = IPEndPoint.Parse(from);
        for (int steps = 0; joiner.Result is null; steps++)
        {
            Assert.True(steps < 1_000, "the joiner comes to no end");
            bool any = false;
            while (joiner.TryTransmit(out CodeTransmit transmit))
            {
                any = true;
                Deliver(joiner, transmit.To is null ? joiner.Question((ushort)at.Port) : transmit.Bytes, transmit.To, at);
            }

            _now = any || joiner.Result is not null ? _now : joiner.Next > _now ? joiner.Next : _now;
            joiner.Tick(Now);
        }

        return joiner.Result;
    }

    /// <summary>What the first device says to it.</summary>
    public byte[] Tell(byte[] datagram, out CodeOutcome outcome, string from = JoinerAt)
    {
        outcome = Inviter.Handle(datagram, IPEndPoint.Parse(from), Now, out byte[] answer);
        return answer;
    }

    private void Deliver(CodeJoiner joiner, byte[] sent, IPEndPoint? to, IPEndPoint from)
    {
        Pass(TimeSpan.FromMilliseconds(1));
        Sent.Add((sent, true));
        if (Filter([.. sent], true) is not { } arriving)
        {
            return;
        }

        foreach ((IPEndPoint at, CodeInviter inviter) in _inviters.Reverse().Where(each => to is null || each.Key.Equals(to)))
        {
            inviter.Handle(arriving, from, Now, out byte[] answer);
            if (answer.Length > 0)
            {
                Sent.Add((answer, false));
                if (Filter([.. answer], false) is { } back)
                {
                    joiner.Handle(back, at, Now);
                }
            }
        }
    }
}
