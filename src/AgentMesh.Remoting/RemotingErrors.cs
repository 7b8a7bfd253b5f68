namespace AgentMesh.Remoting;

/// <summary>The error codes of this project; each has a page in docs/errors.</summary>
public static class RemotingErrors
{
    /// <summary>The registry knows no device with that id.</summary>
    public const string UnknownDevice = "AM0160";

    /// <summary>No connection to a known device within the dial timeout, or one that failed a moment ago.</summary>
    public const string DeviceUnreachable = "AM0161";

    /// <summary>The connection hub was closed while a connection was asked for.</summary>
    public const string HubClosed = "AM0162";

    /// <summary>The mesh transport was configured without a connection hub.</summary>
    public const string HubMissing = "AM0163";
}
