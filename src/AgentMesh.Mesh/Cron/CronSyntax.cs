using AgentMesh.Errors;

namespace AgentMesh.Mesh.Cron;

internal static class CronSyntax
{
    private const int ShownMax = 60;

    /// <param name="at">Index of the character that is wrong; people count from 1.</param>
    public static MeshException Error(string text, int at, string what, string nextStep)
    {
        int from = Math.Max(0, at - (ShownMax / 2));
        string shown = new([.. text.Substring(from, Math.Min(ShownMax, text.Length - from)).Select(c => char.IsControl(c) ? ' ' : c)]);
        return new MeshException(MeshErrors.CronSyntax, $"position {at + 1}: {what}\n  {shown}\n  {new string(' ', at - from)}^", nextStep);
    }
}
