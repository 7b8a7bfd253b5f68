namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>The second byte of every message of pairing-v1. The one place where these numbers are given out.</summary>
internal enum CodeMessageType : byte
{
    Question = 1,
    Here = 2,
    Start = 3,
    Share = 4,
    Proof = 5,
    Welcome = 6,
    Refusal = 7,
}

/// <summary>Why an exchange goes no further: the fourth byte of a refusal.</summary>
internal enum CodeRefusal : byte
{
    /// <summary>Somebody else is at it; try again.</summary>
    Busy = 1,

    /// <summary>The proof did not fit. The code is burnt.</summary>
    Wrong = 2,

    /// <summary>An earlier wrong guess ended this code.</summary>
    Burnt = 3,

    Expired = 4,

    /// <summary>Somebody has joined with it, or by the link.</summary>
    Used = 5,
}
