namespace AgentMesh.Workers.Calc;

internal enum CalcTokenKind
{
    Number,
    Name,
    Operator,
    Open,
    Close,
    Comma,
    End,
}

/// <param name="Position">Of the first character, from 1, as people count.</param>
internal readonly record struct CalcToken(CalcTokenKind Kind, string Text, int Position);
