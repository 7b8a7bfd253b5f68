using System.Net;
using AgentMesh.Protocol.Punching;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// Every ordered pair of NATs, and of devices with IPv6 alone and all others: two connections begin over a relay and climb the ladder to a direct path as nodes do. How long
/// a link takes follows from the seed.
/// </summary>
internal sealed partial class NatGridWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    private const string Data = "data, s";

    private static readonly string[] Kinds = ["none", "full-cone", "address-restricted", "port-restricted", "symmetric", "sequential", "double", "double-symmetric"];

    private enum Way
    {
        /// <summary>One side maps endpoint-independently, and the other one's filter lets it in: within 5 s.</summary>
        Plain,

        /// <summary>The next port is known: within 8 s.</summary>
        Predicted,

        /// <summary>A port is guessed: within 20 s, p95.</summary>
        Guessed,

        /// <summary>Stays on the relay, without an error.</summary>
        None,

        /// <summary>The same, since neither has an address that the other could send to.</summary>
        NoCommonFamily,
    }

    public static IReadOnlyList<Bar> Bars { get; } =
        [.. from left in Kinds from right in Kinds where WayOf(left, right) == Way.Guessed select Bar.Within(Direct(left, right), Seconds(20))];

    public override void Run()
    {
        foreach (string left in Kinds)
        {
            foreach (string right in Kinds)
            {
                Run(left, right);
            }
        }

        IReadOnlyList<(string Left, string Right)> pairs = WithIpv6;
        foreach ((string left, string right) in pairs)
        {
            Run(left, right);
        }

        for (int i = 0; i < MeetingsPerSeed; i++)
        {
            (string left, string right) = pairs[((MeetingsPerSeed * Seed) + i) % pairs.Count];
            MeetOverBeacon(left, right);
        }
    }

    private void Run(string left, string right)
    {
        Way way = WayOf(left, right);
        int delay = 5 + (Seed * 7 % 60);
        using var pair = new RelayedPair(random => Home(left, 1, random), random => Home(right, 2, random), Seed, delay: TimeSpan.FromMilliseconds(delay));
        var ladder = new SimLadder(pair, Seed);
        pair.A.Write(5_000);
        ladder.Begin();
        TimeSpan? first = pair.Until(() => pair.B.Received == 5_000, Seconds(5));
        Require(first <= Seconds(1.5), $"{left} x {right}: data after {first}");
        Measure(Data, first);
        bool isRelayed = way is Way.None or Way.NoCommonFamily;
        TimeSpan? found = first + pair.Until(() => pair.AreDirect, isRelayed ? Seconds(10) : Seconds(40));
        Require(!isRelayed || found is null, $"{left} x {right}: direct after {found}, which nobody knows how to do");
        Require(way != Way.None || ladder.Step == PunchStep.None, $"{left} x {right}: still {ladder.Step}");
        Require(way != Way.NoCommonFamily || ladder.Step == PunchStep.Plain, $"{left} x {right}: {ladder.Step}, where no port helps");
        Require(way != Way.NoCommonFamily || pair.Refused <= RefusedMax, $"{left} x {right}: {pair.Refused} datagrams to addresses of a family that their device does not have");
        Require(way != Way.Plain || found <= Seconds(5), $"{left} x {right}: direct after {found}");
        Require(way != Way.Predicted || found <= Seconds(8), $"{left} x {right}: direct after {found}");
        if (!isRelayed)
        {
            Measure(Direct(left, right), found);
        }

        if (Seed % 10 == 0)
        {
            pair.B.Write(50_000);
            pair.Run(Seconds(5));
            Require(pair.A.Received == 50_000, $"{left} x {right}: {pair.A.Received} of 50,000 bytes");
            Require(pair.AreDirect == found is not null, $"{left} x {right}: goes back and forth");
        }

        Steps += pair.Datagrams;
    }

    private static string Direct(string left, string right) => WayOf(left, right) switch
    {
        Way.Plain => "direct, plain, s",
        Way.Predicted => "direct, predicted, s",
        _ => $"direct, {left} x {right}, s",
    };

    private static Way WayOf(string left, string right)
    {
        if (HasIpv6(left) && HasIpv6(right))
        {
            return Way.Plain;
        }

        if (!HasIpv4(left) || !HasIpv4(right))
        {
            return Way.NoCommonFamily;
        }

        bool leftRandom = IsRandom(left), rightRandom = IsRandom(right);
        bool leftHard = leftRandom || left == "sequential", rightHard = rightRandom || right == "sequential";
        if (leftHard && rightHard)
        {
            return leftRandom || rightRandom ? Way.None : Way.Predicted;
        }

        bool isPlain = leftHard == rightHard || (leftHard ? right : left) is not ("port-restricted" or "double");
        return isPlain ? Way.Plain : leftRandom || rightRandom ? Way.Guessed : Way.Predicted;
    }

    private static bool IsRandom(string kind) => kind is "symmetric" or "double-symmetric";

    private static SimNat Nat(string kind, int number, Random random)
    {
        IPAddress outside = IPAddress.Parse($"203.0.113.{number}");
        SimNat Carrier(NatType type) => new(type, outside, random);
        return kind switch
        {
            "none" => Carrier(NatType.None),
            "full-cone" => Carrier(NatType.FullCone),
            "address-restricted" => Carrier(NatType.AddressRestricted),
            "port-restricted" => Carrier(NatType.PortRestricted),
            "symmetric" => Carrier(NatType.Symmetric),
            "sequential" => Carrier(NatType.SymmetricSequential),
            "double" => new SimNat(NatType.PortRestricted, IPAddress.Parse("100.64.0.7"), random, Carrier(NatType.PortRestricted)),
            _ => new SimNat(NatType.PortRestricted, IPAddress.Parse("100.64.0.7"), random, Carrier(NatType.Symmetric)),
        };
    }
}
