using System.Net;

namespace AgentMesh.Protocol.Pairing.Codes;

internal enum CodeState
{
    /// <summary>Waits for a joiner, or is in an exchange with one.</summary>
    Open,

    /// <summary>A wrong proof ended it.</summary>
    Burnt,

    /// <summary>Given up before anybody was shown it.</summary>
    Withdrawn,

    /// <summary>A joiner has proven it and may use the invitation.</summary>
    Proven,
}

/// <summary>One code that this device made.</summary>
/// <remarks>
/// <code>
/// Open   --start-->        Open, with an exchange
/// Open   --wrong proof-->  Burnt, and another code for the invitation
/// Open   --right proof-->  Proven
/// Open   --first word taken at a beacon-->  Withdrawn, and another code
/// Proven --not used-->     Burnt, and another code
/// </code>
/// </remarks>
internal sealed class CodeOffer(PairingCode code, InvitationId invitation)
{
    public PairingCode Code { get; } = code;

    public InvitationId Invitation { get; } = invitation;

    public CodeState State { get; set; } = CodeState.Open;

    /// <summary>The latest exchange; kept after its end so that what is repeated gets the same answer.</summary>
    public CodeExchange? Exchange { get; set; }

    /// <summary>When it was first named at a beacon.</summary>
    public TimeSpan? NamedAt { get; set; }

    /// <summary>When it was proven.</summary>
    public TimeSpan ProvenAt { get; set; }
}

/// <summary>An exchange with one joiner, from its start on.</summary>
internal sealed record CodeExchange(IPEndPoint Joiner, byte[] Start, byte[] Share, CodeSeals Seals, TimeSpan Until)
{
    public byte[]? Proof { get; set; }

    /// <summary>The answer to <see cref="Proof"/>.</summary>
    public byte[]? Answer { get; set; }
}
