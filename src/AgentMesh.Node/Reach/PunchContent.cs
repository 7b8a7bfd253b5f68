using System.Net;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Protocol.Punching;
using PunchStep = AgentMesh.Protocol.Punching.PunchStep;
using NatFiltering = AgentMesh.Protocol.Punching.NatFiltering;
using NatMapping = AgentMesh.Protocol.Punching.NatMapping;

namespace AgentMesh.Node.Reach;

/// <summary>Between the frames of a link and what they mean.</summary>
internal static class PunchContent
{
    // What no NAT does is no rule.
    private const int StepMax = 64;

    public static Punch Plain(PunchHelp help)
    {
        var punch = new Punch { Nat = Of(help.Nat()) };
        punch.Candidates.Add(help.Candidates().Take(LocalAddresses.Most).Select(address => address.ToString()));
        return punch;
    }

    public static Punch Hard(PunchHelp help, PunchStep step, IPEndPoint outside, int portStep) => new() { Step = Of(step), Nat = Of(help.Nat()), Outside = outside.ToString(), PortStep = portStep };

    public static Punch Busy(PunchHelp help) => new() { Step = Links.Wire.PunchStep.Busy, Nat = Of(help.Nat()) };

    /// <summary>Where the other side may be; without what is here: bridges of containers have the same address on many hosts, and a question to it would not leave this one.</summary>
    public static IReadOnlyList<IPEndPoint> CandidatesOf(Punch punch, PunchHelp help) => [.. AddressText.ParseAll(punch.Candidates, LocalAddresses.Most).Where(address => !address.Address.IsIPv6LinkLocal && !help.IsOwn(address))];

    /// <summary>Each has addresses, and none that the other could send to.</summary>
    public static bool HaveNoFamilyInCommon(IEnumerable<IPEndPoint> mine, IReadOnlyList<IPEndPoint> theirs)
    {
        var families = mine.Select(address => address.AddressFamily).ToHashSet();
        return families.Count > 0 && theirs.Count > 0 && theirs.All(address => !families.Contains(address.AddressFamily));
    }

    public static NatBehaviour Of(Nat? nat) => nat is null
        ? NatBehaviour.Unknown
        : new NatBehaviour(
            nat.Mapping switch
            {
                Links.Wire.NatMapping.Independent => NatMapping.Independent,
                Links.Wire.NatMapping.Dependent => NatMapping.Dependent,
                _ => NatMapping.Unknown,
            },
            nat.Filtering switch
            {
                Links.Wire.NatFiltering.ByAddress => NatFiltering.ByAddress,
                Links.Wire.NatFiltering.ByPort => NatFiltering.ByPort,
                _ => NatFiltering.Unknown,
            },
            nat.PortStep is >= -StepMax and <= StepMax ? nat.PortStep : 0);

    /// <summary>Null for a step that this version does not know.</summary>
    public static PunchStep? Of(Links.Wire.PunchStep step) => step switch
    {
        Links.Wire.PunchStep.Plain => PunchStep.Plain,
        Links.Wire.PunchStep.Predict => PunchStep.Predict,
        Links.Wire.PunchStep.Guess => PunchStep.Guess,
        Links.Wire.PunchStep.Open => PunchStep.Open,
        _ => null,
    };

    private static Links.Wire.PunchStep Of(PunchStep step) => step switch
    {
        PunchStep.Predict => Links.Wire.PunchStep.Predict,
        PunchStep.Guess => Links.Wire.PunchStep.Guess,
        PunchStep.Open => Links.Wire.PunchStep.Open,
        _ => Links.Wire.PunchStep.Plain,
    };

    private static Nat Of(NatBehaviour nat) => new()
    {
        Mapping = nat.Mapping switch
        {
            NatMapping.Independent => Links.Wire.NatMapping.Independent,
            NatMapping.Dependent => Links.Wire.NatMapping.Dependent,
            _ => Links.Wire.NatMapping.Unknown,
        },
        Filtering = nat.Filtering switch
        {
            NatFiltering.ByAddress => Links.Wire.NatFiltering.ByAddress,
            NatFiltering.ByPort => Links.Wire.NatFiltering.ByPort,
            _ => Links.Wire.NatFiltering.Unknown,
        },
        PortStep = nat.PortStep,
    };
}
