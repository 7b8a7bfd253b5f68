namespace AgentMesh.Transport;

/// <summary>Error codes of sockets and connections, AM0130 to AM0149. Each has a page <c>docs/errors/CODE.md</c>.</summary>
public static class TransportErrors
{
    public const string CannotListen = "AM0130";
    public const string TooManyDials = "AM0131";
    public const string EndpointStopped = "AM0133";
}
