namespace AgentMesh.Workers.Calc;

/// <summary>Splits an expression. Numbers: <c>12</c>, <c>1.5</c>, <c>.5</c>, <c>2e-3</c>, <c>0xff</c>, <c>0b101</c>, with <c>_</c> between digits.</summary>
internal sealed class CalcLexer(string text)
{
    private const string Operators = "+-*/^%!";

    private int _at;

    public CalcToken Next()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }

        if (_at == text.Length)
        {
            return new CalcToken(CalcTokenKind.End, "", _at + 1);
        }

        int start = _at;
        char c = text[_at];
        if (char.IsAsciiDigit(c) || (c == '.' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1])))
        {
            ReadNumber();
            return Token(CalcTokenKind.Number, start);
        }

        if (char.IsAsciiLetter(c))
        {
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
            {
                _at++;
            }

            return Token(CalcTokenKind.Name, start);
        }

        _at++;
        if (c == '*' && _at < text.Length && text[_at] == '*')
        {
            // Two stars are a power, as in Python.
            _at++;
            return new CalcToken(CalcTokenKind.Operator, "^", start + 1);
        }

        return c switch
        {
            '(' => Token(CalcTokenKind.Open, start),
            ')' => Token(CalcTokenKind.Close, start),
            ',' => Token(CalcTokenKind.Comma, start),
            _ when Operators.Contains(c, StringComparison.Ordinal) => Token(CalcTokenKind.Operator, start),
            _ => throw CalcErrors.At(text, start + 1, $"unexpected '{c}'"),
        };
    }

    private void ReadNumber()
    {
        if (text[_at] == '0' && _at + 1 < text.Length && text[_at + 1] is 'x' or 'X' or 'b' or 'B')
        {
            _at += 2;
            while (_at < text.Length && (char.IsAsciiHexDigit(text[_at]) || text[_at] == '_'))
            {
                _at++;
            }

            return;
        }

        Digits();
        if (_at < text.Length && text[_at] == '.')
        {
            _at++;
            Digits();
        }

        if (_at < text.Length && text[_at] is 'e' or 'E')
        {
            int sign = _at + 1 < text.Length && text[_at + 1] is '+' or '-' ? 2 : 1;
            if (_at + sign < text.Length && char.IsAsciiDigit(text[_at + sign]))
            {
                _at += sign;
                Digits();
            }
        }
    }

    private void Digits()
    {
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] == '_'))
        {
            _at++;
        }
    }

    private CalcToken Token(CalcTokenKind kind, int start) => new(kind, text[start.._at], start + 1);
}
