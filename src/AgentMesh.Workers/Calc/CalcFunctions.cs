using System.Numerics;

namespace AgentMesh.Workers.Calc;

/// <summary>The functions and constants of <c>calc</c>. Angles are radians.</summary>
internal static class CalcFunctions
{
    private const int FactorialMax = 3000;

    private static readonly Dictionary<string, CalcFunction> ByName = new(StringComparer.OrdinalIgnoreCase);

    static CalcFunctions()
    {
        Real("sin", Math.Sin);
        Real("cos", Math.Cos);
        Real("tan", Math.Tan);
        Real("asin", Math.Asin);
        Real("acos", Math.Acos);
        Real("atan", Math.Atan);
        Real("sinh", Math.Sinh);
        Real("cosh", Math.Cosh);
        Real("tanh", Math.Tanh);
        Real("exp", Math.Exp);
        Real("ln", Math.Log);
        Real("log2", Math.Log2);
        Real("log10", Math.Log10);
        Real("cbrt", Math.Cbrt);
        Add("log", 1, 2, a => CalcNumber.Approximate(Checked(a.Length == 1 ? Math.Log10(a[0].ToDouble()) : Math.Log(a[0].ToDouble()) / Math.Log(a[1].ToDouble()))));
        Add("atan2", 2, 2, a => CalcNumber.Approximate(Math.Atan2(a[0].ToDouble(), a[1].ToDouble())));
        Add("hypot", 2, 2, a => CalcNumber.SquareRoot((a[0] * a[0]) + (a[1] * a[1])));
        Add("sqrt", 1, 1, a => a[0].Sign >= 0 ? CalcNumber.SquareRoot(a[0]) : throw new ArithmeticException("the root of a negative number is not real"));
        Add("abs", 1, 1, a => a[0].Sign < 0 ? -a[0] : a[0]);
        Add("sign", 1, 1, a => CalcNumber.Of(a[0].Sign));
        Add("floor", 1, 1, a => a[0].Floor());
        Add("ceil", 1, 1, a => -(-a[0]).Floor());
        Add("trunc", 1, 1, a => a[0].Sign < 0 ? -(-a[0]).Floor() : a[0].Floor());
        Add("round", 1, 2, Round);
        Add("min", 1, 64, a => a.Aggregate((left, right) => left.CompareTo(right) <= 0 ? left : right));
        Add("max", 1, 64, a => a.Aggregate((left, right) => left.CompareTo(right) >= 0 ? left : right));
        Add("gcd", 2, 64, a => CalcNumber.Of(a.Select(Whole).Aggregate(BigInteger.GreatestCommonDivisor)));
        Add("lcm", 2, 64, a => CalcNumber.Of(a.Select(Whole).Aggregate((x, y) => x.IsZero || y.IsZero ? 0 : BigInteger.Abs(x * y) / BigInteger.GreatestCommonDivisor(x, y))));
        Add("fact", 1, 1, a => Factorial(a[0]));
        Add("pow", 2, 2, a => CalcNumber.Power(a[0], a[1]));
    }

    public static IReadOnlyCollection<string> Names => ByName.Keys;

    public static bool TryFind(string name, out CalcFunction function) => ByName.TryGetValue(name, out function!);

    public static bool TryConstant(string name, out CalcNumber value)
    {
        (bool known, value) = name.ToLowerInvariant() switch
        {
            "pi" => (true, CalcNumber.Approximate(Math.PI)),
            "e" => (true, CalcNumber.Approximate(Math.E)),
            "tau" => (true, CalcNumber.Approximate(Math.Tau)),
            _ => (false, default),
        };
        return known;
    }

    public static CalcNumber Factorial(CalcNumber value)
    {
        BigInteger whole = Whole(value);
        if (whole.Sign < 0)
        {
            throw new ArithmeticException("a negative number has no factorial");
        }

        if (whole > FactorialMax)
        {
            throw CalcErrors.TooLarge($"the factorial of numbers above {FactorialMax} is too large");
        }

        BigInteger product = BigInteger.One;
        for (int i = 2; i <= (int)whole; i++)
        {
            product *= i;
        }

        return CalcNumber.Of(product);
    }

    // Half goes away from zero, as taught at school.
    private static CalcNumber Round(CalcNumber[] a)
    {
        BigInteger places = a.Length == 2 ? Whole(a[1]) : BigInteger.Zero;
        if (BigInteger.Abs(places) > 1000)
        {
            throw new ArithmeticException("round takes -1000 to 1000 places");
        }

        CalcNumber unit = CalcNumber.Power(CalcNumber.Of(10), CalcNumber.Of(places));
        CalcNumber half = CalcNumber.Fraction(1, 2);
        CalcNumber scaled = a[0] * unit;
        CalcNumber whole = scaled.Sign < 0 ? -((-scaled) + half).Floor() : (scaled + half).Floor();
        return whole / unit;
    }

    private static BigInteger Whole(CalcNumber value) =>
        value.IsInteger ? value.Numerator : throw new ArithmeticException($"a whole number is needed, not {CalcText.Print(value)}");

    private static double Checked(double value) => double.IsNaN(value) ? throw new ArithmeticException("there is no real result") : value;

    private static void Real(string name, Func<double, double> function) =>
        Add(name, 1, 1, a => CalcNumber.Approximate(Checked(function(a[0].ToDouble()))));

    private static void Add(string name, int least, int most, Func<CalcNumber[], CalcNumber> apply) => ByName.Add(name, new CalcFunction(name, least, most, apply));
}

/// <param name="Apply">Throws <see cref="ArithmeticException"/> with what is wrong; the caller adds the place.</param>
internal sealed record CalcFunction(string Name, int ArgumentsMin, int ArgumentsMax, Func<CalcNumber[], CalcNumber> Apply);
