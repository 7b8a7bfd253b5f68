using AgentMesh.Errors;

namespace AgentMesh.Mesh.Commands;

internal static class CommandSyntax
{
    private const int ShownMax = 60;

    /// <param name="at">Index of the character that is wrong; people count from 1.</param>
    public static MeshException Error(string line, int at, string what, string nextStep, string code = MeshErrors.Syntax)
    {
        int from = Math.Max(0, at - (ShownMax / 2));
        string shown = line.Substring(from, Math.Min(ShownMax, line.Length - from)).ReplaceLineEndings(" ");
        return new MeshException(code, $"position {at + 1}: {what}\n  {shown}\n  {new string(' ', at - from)}^", nextStep);
    }
}
