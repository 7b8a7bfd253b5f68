using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Punching;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>What nodes do over their link and with their beacon to climb the ladder, in the time of a <see cref="RelayedPair"/>.</summary>
internal sealed class SimLadder(RelayedPair pair, int seed, params IPEndPoint[] further)
{
    private const int Spares = 256;

    private static readonly IPEndPoint Beacon = IPEndPoint.Parse("203.0.113.10:14592");
    private static readonly IPEndPoint BeaconOfIpv6 = IPEndPoint.Parse("[2001:db8:ffff::10]:14592");
    private static readonly IPEndPoint Observer = IPEndPoint.Parse("203.0.113.10:14593");

    // As in the node: plain rounds and predictions, then a guess.
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan GuessTime = TimeSpan.FromSeconds(21);

    // As in the node, between plain rounds that nothing is known to follow.
    private static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2)];

    private ushort _sockets = 1_000;
    private int _failed;

    public PunchStep Step { get; private set; }

    /// <summary>What the survey of a device finds out.</summary>
    public NatBehaviour Survey(SimNat nat)
    {
        bool isIndependent = nat.Out(Beacon).Port == nat.Out(Observer).Port;
        int[] ports = [.. Enumerable.Range(0, 5).Select(_ => Sample(nat).Port)];
        return new NatBehaviour(isIndependent ? NatMapping.Independent : NatMapping.Dependent, PortStep: isIndependent ? 0 : PortSteps.Of(ports));
    }

    public void Begin() => Round(Survey(pair.A.Home), Survey(pair.B.Home));

    // Nobody asks what becomes of IPv6.
    private NatBehaviour Survey(SimHome home) => home.Ipv4 is { } nat ? Survey(nat) : NatBehaviour.Unknown;

    /// <summary>Where a device says that it may be: where the beacon sees it, and at home.</summary>
    private IEnumerable<IPEndPoint> CandidatesOf(RelayedPair.Side side)
    {
        if (side.Home.Ipv4 is { } nat)
        {
            yield return nat.Out(Beacon);
            yield return side.AtHome;
        }

        if (side.Home.Ipv6 is { } firewall)
        {
            yield return firewall.Out(BeaconOfIpv6);
        }
    }

    private IPEndPoint Sample(SimNat nat) => nat.Out(++_sockets, Observer);

    private void Round(NatBehaviour a, NatBehaviour b)
    {
        if (pair.AreDirect)
        {
            return;
        }

        Step = PunchLadder.Next(a, b, _failed);
        TimeSpan oneWay = 2 * pair.Delay;
        switch (Step)
        {
            case PunchStep.None:
                return;
            case PunchStep.Plain:
                pair.At(pair.Now + oneWay, () => pair.B.Connection.Search.Probe([.. CandidatesOf(pair.A), .. further], pair.Now + oneWay));
                pair.At(pair.Now + (2 * oneWay), () => pair.A.Connection.Search.Probe([.. CandidatesOf(pair.B), .. further], pair.Now));
                break;
            case PunchStep.Predict:
                Predict(a, b, oneWay);
                break;
            default:
                Guess(isGuesserA: Step == PunchStep.Guess, oneWay);
                break;
        }

        bool isSurveyed = a.Mapping != NatMapping.Unknown && b.Mapping != NatMapping.Unknown;
        TimeSpan rest = isSurveyed ? TimeSpan.Zero : Waits[Math.Min(_failed, Waits.Length - 1)];
        _failed++;
        pair.At(pair.Now + (2 * oneWay) + (Step is PunchStep.Guess or PunchStep.Open ? GuessTime : RoundTime) + rest, () => Round(a, b));
    }

    private void Predict(NatBehaviour a, NatBehaviour b, TimeSpan oneWay)
    {
        int shift = 1 + ((_failed - 1) % 3);
        IPEndPoint ofA = a.IsInSteps ? PortSteps.Shifted(Sample(pair.A.Nat), a.PortStep, shift)! : pair.A.Nat.Out(Beacon);
        pair.At(pair.Now + oneWay, () =>
        {
            IPEndPoint ofB = b.IsInSteps ? PortSteps.Shifted(Sample(pair.B.Nat), b.PortStep, 1)! : pair.B.Nat.Out(Beacon);
            pair.At(pair.Now + oneWay, () =>
            {
                Send(pair.B, b, ofA, a);
                Send(pair.A, a, ofB, b);
            });
        });
    }

    private void Send(RelayedPair.Side side, NatBehaviour nat, IPEndPoint first, NatBehaviour other)
    {
        if (nat.IsInSteps && !other.IsInSteps)
        {
            for (int i = 0; i < PortSteps.PredictedMax; i++)
            {
                side.Nat.Out(++_sockets, first);
            }
        }
        else
        {
            side.Connection.Search.Guess(Targets(first, other.PortStep), pair.Now);
        }
    }

    private void Guess(bool isGuesserA, TimeSpan oneWay)
    {
        (RelayedPair.Side guesser, RelayedPair.Side opener) = isGuesserA ? (pair.A, pair.B) : (pair.B, pair.A);
        IPEndPoint outside = guesser.Nat.Out(Beacon);
        for (int i = 0; i < Spares; i++)
        {
            ushort socket = ++_sockets;
            pair.At(pair.Now + oneWay + (PortGuesser.Pace * i), () => opener.Nat.Out(socket, outside));
        }

        IReadOnlyList<int> ports = PortSteps.AtRandom(PortGuesser.ProbesMax, new SeededEntropy(seed));
        pair.At(pair.Now + (2 * oneWay), () => guesser.Connection.Search.Guess(ports.Select(port => new IPEndPoint(opener.Nat.Outside, port)), pair.Now));
    }

    private static IEnumerable<IPEndPoint> Targets(IPEndPoint first, int step)
    {
        IReadOnlyList<int> ports = PortSteps.From(first.Port, step);
        return Enumerable.Repeat(ports, 3).SelectMany(each => each).Select(port => new IPEndPoint(first.Address, port));
    }
}
