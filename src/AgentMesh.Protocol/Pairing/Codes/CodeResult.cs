using System.Net;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>Why a code did not lead to an invitation.</summary>
internal enum CodeFailure
{
    /// <summary>Nobody who was asked knows the first word.</summary>
    Nobody,

    /// <summary>The code was not right; there it is burnt now.</summary>
    Wrong,

    /// <summary>An earlier wrong guess had ended it.</summary>
    Burnt,

    Expired,

    Used,

    /// <summary>Somebody answered and then went silent.</summary>
    Silent,

    /// <summary>Others kept the inviting device busy.</summary>
    Busy,
}

/// <param name="Invitation">What to join by; null when it failed.</param>
/// <param name="At">The device that made the difference; null when nobody answered.</param>
internal sealed record CodeResult(Invitation? Invitation, CodeFailure Failure, IPEndPoint? At);

/// <param name="To">Null for everybody on the link, with a question that carries the right port (<see cref="CodeJoiner.Question"/>).</param>
internal readonly record struct CodeTransmit(IPEndPoint? To, byte[] Bytes);
