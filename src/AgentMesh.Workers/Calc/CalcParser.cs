namespace AgentMesh.Workers.Calc;

/// <summary>Precedence climbing that computes as it reads; the depth is bounded because every nesting is a call.</summary>
internal sealed class CalcParser
{
    private const int DepthMax = 200;
    private const int PowerStrength = 4;

    private readonly string _text;
    private readonly CalcLexer _lexer;
    private CalcToken _token;
    private int _depth;

    public CalcParser(string text)
    {
        _text = text;
        _lexer = new CalcLexer(text);
        _token = _lexer.Next();
    }

    public CalcNumber Parse()
    {
        if (_token.Kind == CalcTokenKind.End)
        {
            throw CalcErrors.At(_text, 1, "there is no expression");
        }

        CalcNumber value = Binary(1);
        return _token.Kind == CalcTokenKind.End ? value : throw Unexpected();
    }

    private CalcNumber Binary(int weakest)
    {
        CalcNumber left = Unary();
        while (_token.Kind == CalcTokenKind.Operator && Strength(_token.Text) is var strength && strength >= weakest)
        {
            CalcToken sign = _token;
            Advance();

            // A power binds from the right: 2^3^2 is 2^9.
            CalcNumber right = Binary(sign.Text == "^" ? strength : strength + 1);
            left = At(sign, () => Apply(sign, left, right));
        }

        return left;
    }

    private CalcNumber Unary()
    {
        if (++_depth > DepthMax)
        {
            throw CalcErrors.At(_text, _token.Position, $"more than {DepthMax} levels are nested");
        }

        try
        {
            if (_token is { Kind: CalcTokenKind.Operator, Text: "-" or "+" })
            {
                bool negative = _token.Text == "-";
                Advance();

                // Only a power binds tighter than a sign: -2^2 is -4.
                CalcNumber value = Binary(PowerStrength);
                return negative ? -value : value;
            }

            return Postfix(Primary());
        }
        finally
        {
            _depth--;
        }
    }

    private CalcNumber Postfix(CalcNumber value)
    {
        while (_token is { Kind: CalcTokenKind.Operator, Text: "!" })
        {
            CalcToken sign = _token;
            Advance();
            CalcNumber operand = value;
            value = At(sign, () => CalcFunctions.Factorial(operand));
        }

        return value;
    }

    private CalcNumber Primary()
    {
        CalcToken token = _token;
        switch (token.Kind)
        {
            case CalcTokenKind.Number:
                Advance();
                return CalcText.Parse(token.Text, _text, token.Position);
            case CalcTokenKind.Open:
                Advance();
                CalcNumber inner = Binary(1);
                Close(token);
                return inner;
            case CalcTokenKind.Name:
                Advance();
                return _token.Kind == CalcTokenKind.Open ? Call(token) : Constant(token);
            default:
                throw Unexpected();
        }
    }

    private CalcNumber Constant(CalcToken name)
    {
        if (CalcFunctions.TryConstant(name.Text, out CalcNumber value))
        {
            return value;
        }

        throw CalcErrors.At(_text, name.Position, CalcFunctions.TryFind(name.Text, out _) ? $"{name.Text} needs its arguments in parentheses" : $"unknown name '{name.Text}'");
    }

    private CalcNumber Call(CalcToken name)
    {
        if (!CalcFunctions.TryFind(name.Text, out CalcFunction function))
        {
            throw CalcErrors.At(_text, name.Position, $"unknown function '{name.Text}'");
        }

        CalcToken open = _token;
        Advance();
        var arguments = new List<CalcNumber>();
        if (_token.Kind != CalcTokenKind.Close)
        {
            arguments.Add(Binary(1));
            while (_token.Kind == CalcTokenKind.Comma && arguments.Count <= function.ArgumentsMax)
            {
                Advance();
                arguments.Add(Binary(1));
            }
        }

        Close(open);
        if (arguments.Count < function.ArgumentsMin || arguments.Count > function.ArgumentsMax)
        {
            string takes = function.ArgumentsMin == function.ArgumentsMax ? $"{function.ArgumentsMin}" : $"{function.ArgumentsMin} to {function.ArgumentsMax}";
            throw CalcErrors.At(_text, name.Position, $"{function.Name} takes {takes} arguments, not {arguments.Count},");
        }

        return At(name, () => function.Apply([.. arguments]));
    }

    private void Close(CalcToken open)
    {
        if (_token.Kind != CalcTokenKind.Close)
        {
            throw _token.Kind == CalcTokenKind.End ? CalcErrors.At(_text, open.Position, "the parenthesis is not closed that opens") : Unexpected();
        }

        Advance();
    }

    private static CalcNumber Apply(CalcToken sign, CalcNumber left, CalcNumber right) => sign.Text switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" when right.IsZero => throw new ArithmeticException("division by zero"),
        "/" => left / right,
        "%" when right.IsZero => throw new ArithmeticException("division by zero"),
        "%" => left % right,
        "^" when left.IsZero && right.Sign < 0 => throw new ArithmeticException("division by zero"),
        "^" when left.Sign < 0 && !right.IsInteger => throw new ArithmeticException("a fractional power of a negative number is not real"),
        _ => CalcNumber.Power(left, right),
    };

    private static int Strength(string sign) => sign switch
    {
        "+" or "-" => 1,
        "*" or "/" or "%" => 2,
        "^" => PowerStrength,
        _ => 0,
    };

    private CalcNumber At(CalcToken place, Func<CalcNumber> compute)
    {
        try
        {
            return compute();
        }
        catch (ArithmeticException problem)
        {
            throw CalcErrors.At(_text, place.Position, problem.Message);
        }
    }

    private void Advance() => _token = _lexer.Next();

    private Exception Unexpected() =>
        CalcErrors.At(_text, _token.Position, _token.Kind == CalcTokenKind.End ? "the expression ends where a number is expected" : $"unexpected '{_token.Text}'");
}
