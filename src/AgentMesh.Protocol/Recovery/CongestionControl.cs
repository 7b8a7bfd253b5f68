namespace AgentMesh.Protocol.Recovery;

/// <summary>What decides how fast a path is filled.</summary>
public enum CongestionControl
{
    /// <summary>By loss (RFC 9438): the window falls with every loss and grows until the next one.</summary>
    Cubic,

    /// <summary>By a model of the path, its rate and its round trip (draft-ietf-ccwg-bbr): loss that does not come from full queues costs no more than what was lost.</summary>
    Bbr,
}
