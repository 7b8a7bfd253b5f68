using AgentMesh.Errors;

namespace AgentMesh.Workers.Calc;

/// <summary>
/// Evaluates an arithmetic expression. From loosest to tightest: <c>+ -</c>, <c>* / %</c>, sign, <c>^</c> or <c>**</c> (from the right), <c>!</c>.
/// </summary>
public static class Calculator
{
    public const int ExpressionCharsMax = 4096;

    /// <returns>The value as text: exact where it can be, else the shortest text of a double.</returns>
    /// <exception cref="MeshException">AM0601 with the position, AM0602 too large.</exception>
    public static string Evaluate(string expression)
    {
        if (expression.Length > ExpressionCharsMax)
        {
            throw CalcErrors.TooLarge($"the expression has {expression.Length} characters; {ExpressionCharsMax} are the most");
        }

        return CalcText.Print(new CalcParser(expression).Parse());
    }
}
