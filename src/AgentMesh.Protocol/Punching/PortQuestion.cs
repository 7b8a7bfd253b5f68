namespace AgentMesh.Protocol.Punching;

/// <summary>What a <see cref="PortLifeSearch"/> asks an observer.</summary>
public enum PortQuestionKind : byte
{
    /// <summary>From the socket that is looked at: opens a port, or uses it.</summary>
    Open,

    /// <summary>From the usual socket: the answer is to go to the outside port of the socket that is looked at.</summary>
    Reach,

    /// <summary>From the usual socket, to it: whether the observer answers at all.</summary>
    Control,
}

/// <summary>One datagram to an observer.</summary>
/// <param name="Port">Index of the socket that is looked at; the sockets are opened when they are first named.</param>
/// <param name="AnswerTo">Of <see cref="PortQuestionKind.Reach"/>: the outside port.</param>
public readonly record struct PortQuestion(int Port, PortQuestionKind Kind, int AnswerTo = 0);
