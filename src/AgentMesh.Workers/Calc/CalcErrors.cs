using AgentMesh.Errors;

namespace AgentMesh.Workers.Calc;

/// <summary>Makes the errors of <c>calc</c>: code, position from 1, and the expression with a caret under the place.</summary>
internal static class CalcErrors
{
    private const int ShownMax = 120;

    public static MeshException At(string expression, int position, string problem) => new(
        WorkerErrors.Expression,
        $"{problem} at position {position}\n{Marked(expression, position)}",
        "correct the expression; 'help calc' shows operators, functions and constants");

    public static MeshException TooLarge(string what) =>
        new(WorkerErrors.ExpressionTooLarge, what, "use smaller numbers, or run a program of your own with 'run'");

    private static string Marked(string expression, int position)
    {
        // A long expression is shown around the place.
        int start = Math.Max(0, Math.Min(position - 1 - (ShownMax / 2), expression.Length - ShownMax));
        string shown = expression.Substring(start, Math.Min(ShownMax, expression.Length - start));
        return $"  {shown}\n  {new string(' ', position - 1 - start)}^";
    }
}
