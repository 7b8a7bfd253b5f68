namespace AgentMesh.Protocol.Punching;

/// <summary>Which outside port a NAT gives to a socket (RFC 4787, section 4.1).</summary>
public enum NatMapping : byte
{
    Unknown,

    /// <summary>One for everybody; also where there is no NAT.</summary>
    Independent,

    /// <summary>Another one for each address and port that is sent to.</summary>
    Dependent,
}

/// <summary>Who is let in at an outside port (RFC 4787, section 5).</summary>
public enum NatFiltering : byte
{
    Unknown,

    /// <summary>An address that was sent to, whatever its port; or everybody.</summary>
    ByAddress,

    /// <summary>Only the very address and port that was sent to.</summary>
    ByPort,
}

/// <summary>What is known of the NATs between this device and the internet, as if they were one. Immutable.</summary>
/// <param name="PortStep">Of a dependent mapping: from one outside port to the next; 0 where no rule was seen.</param>
/// <param name="Hairpin">A device behind it reaches another one behind it by its outside address; null when not known.</param>
public sealed record NatBehaviour(NatMapping Mapping = NatMapping.Unknown, NatFiltering Filtering = NatFiltering.Unknown, int PortStep = 0, bool? Hairpin = null)
{
    public static readonly NatBehaviour Unknown = new();

    public bool IsInSteps => Mapping == NatMapping.Dependent && PortStep != 0;

    public bool IsAtRandom => Mapping == NatMapping.Dependent && PortStep == 0;
}
