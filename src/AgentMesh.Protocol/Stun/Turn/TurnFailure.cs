namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>Why there is no allocation.</summary>
public enum TurnFailureKind
{
    /// <summary>No answer in time, or the allocation got lost: to be tried again soon.</summary>
    Silent,

    /// <summary>The server does not know the user or the password.</summary>
    Credentials,

    /// <summary>The server answered and will not: its quota, its settings, or it is not a TURN server.</summary>
    Refused,
}

/// <param name="Text">For people.</param>
public sealed record TurnFailure(TurnFailureKind Kind, string Text);
