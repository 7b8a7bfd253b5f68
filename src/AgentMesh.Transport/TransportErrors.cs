namespace AgentMesh.Transport;

/// <summary>Error codes of sockets and connections, AM0130 to AM0139, AM0122, and AM0173 to AM0179 where they are of discovery. Each has a page <c>docs/errors/CODE.md</c>.</summary>
public static class TransportErrors
{
    public const string TraceRuns = "AM0122";
    public const string CannotListen = "AM0130";
    public const string TooManyDials = "AM0131";
    public const string EndpointStopped = "AM0133";
    public const string CodeNobody = "AM0134";
    public const string CodeMalformed = "AM0135";
    public const string CodeWrong = "AM0136";
    public const string CodeOver = "AM0137";
    public const string CodeBrokenOff = "AM0138";
    public const string CodeOwn = "AM0139";
    public const string CodeNoBeacon = "AM0173";
}
