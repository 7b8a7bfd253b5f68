namespace AgentMesh.Workers.Fences;

/// <summary>Files and directories that make the node what it is, as whole paths.</summary>
/// <param name="Secret">Not for programs that are locked in, whatever they were granted: keys, journals, passwords.</param>
/// <param name="Trusted">Not to be written by them: who changes these, or what leads to them, has the node do what he likes.</param>
public sealed record NodePlaces(IReadOnlyList<string> Secret, IReadOnlyList<string> Trusted)
{
    /// <summary>Names of variables with passwords of the node: such programs find them empty.</summary>
    public IReadOnlyList<string> SecretVariables { get; init; } = [];
}
