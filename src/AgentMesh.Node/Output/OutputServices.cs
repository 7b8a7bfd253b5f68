namespace AgentMesh.Node.Output;

/// <summary>Names of the bulk services between devices.</summary>
internal static class OutputServices
{
    public const string Append = "output-append";
    public const string Read = "output-read";
}
