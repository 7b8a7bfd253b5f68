using System.Numerics;

namespace AgentMesh.Workers.Calc;

/// <summary>
/// A number that stays exact as long as it can: a fraction of two big integers in lowest terms. What has no exact value (a sine, the root of 2)
/// becomes a double, and everything computed from it as well.
/// </summary>
internal readonly struct CalcNumber
{
    /// <summary>40,000 bits are about 12,000 decimal digits: more than anybody reads, and computed at once.</summary>
    public const int BitsMax = 40_000;

    private readonly BigInteger _numerator;
    private readonly BigInteger _denominator;
    private readonly double _approximate;

    private CalcNumber(BigInteger numerator, BigInteger denominator)
    {
        _numerator = numerator;
        _denominator = denominator;
        IsExact = true;
    }

    private CalcNumber(double approximate) => _approximate = approximate;

    public bool IsExact { get; }

    public bool IsInteger => IsExact && _denominator.IsOne;

    public bool IsZero => IsExact ? _numerator.IsZero : _approximate == 0;

    public int Sign => IsExact ? _numerator.Sign : Math.Sign(_approximate);

    public BigInteger Numerator => _numerator;

    public BigInteger Denominator => _denominator;

    public static CalcNumber Of(BigInteger value) => Bounded(value, BigInteger.One);

    public static CalcNumber Approximate(double value) => double.IsFinite(value)
        ? new CalcNumber(value)
        : throw CalcErrors.TooLarge("the result is too large for a floating-point number");

    public static CalcNumber Fraction(BigInteger numerator, BigInteger denominator)
    {
        if (denominator.Sign < 0)
        {
            (numerator, denominator) = (-numerator, -denominator);
        }

        BigInteger common = BigInteger.GreatestCommonDivisor(numerator, denominator);
        return common.IsOne ? Bounded(numerator, denominator) : Bounded(numerator / common, denominator / common);
    }

    public static CalcNumber operator +(CalcNumber a, CalcNumber b) => a.IsExact && b.IsExact
        ? Fraction((a._numerator * b._denominator) + (b._numerator * a._denominator), a._denominator * b._denominator)
        : Approximate(a.ToDouble() + b.ToDouble());

    public static CalcNumber operator -(CalcNumber a, CalcNumber b) => a + (-b);

    public static CalcNumber operator -(CalcNumber a) => a.IsExact ? new CalcNumber(-a._numerator, a._denominator) : new CalcNumber(-a._approximate);

    public static CalcNumber operator *(CalcNumber a, CalcNumber b) => a.IsExact && b.IsExact
        ? Fraction(a._numerator * b._numerator, a._denominator * b._denominator)
        : Approximate(a.ToDouble() * b.ToDouble());

    /// <summary>The divisor is not zero: the caller has checked it and can name the place.</summary>
    public static CalcNumber operator /(CalcNumber a, CalcNumber b) => a.IsExact && b.IsExact
        ? Fraction(a._numerator * b._denominator, a._denominator * b._numerator)
        : Approximate(a.ToDouble() / b.ToDouble());

    /// <summary>The remainder has the sign of the dividend, as in C: -7 % 3 is -1.</summary>
    public static CalcNumber operator %(CalcNumber a, CalcNumber b) => a.IsExact && b.IsExact
        ? Fraction(BigInteger.Remainder(a._numerator * b._denominator, b._numerator * a._denominator), a._denominator * b._denominator)
        : Approximate(a.ToDouble() % b.ToDouble());

    public int CompareTo(CalcNumber other) => IsExact && other.IsExact
        ? (_numerator * other._denominator).CompareTo(other._numerator * _denominator)
        : ToDouble().CompareTo(other.ToDouble());

    public double ToDouble()
    {
        if (!IsExact)
        {
            return _approximate;
        }

        // Both parts may be beyond a double although their quotient is not: bring them down together.
        long excess = Math.Max(_numerator.GetBitLength(), _denominator.GetBitLength()) - 1000;
        return excess <= 0
            ? (double)_numerator / (double)_denominator
            : Scaled((int)excess);
    }

    /// <summary>Exact for an integer exponent; the size of the result is checked before it is computed.</summary>
    public static CalcNumber Power(CalcNumber value, CalcNumber exponent)
    {
        if (!value.IsExact || !exponent.IsInteger)
        {
            return exponent is { IsExact: true } && value.IsExact && exponent._denominator == 2 && SquareRoot(value) is { IsExact: true } root
                ? Power(root, Of(exponent._numerator))
                : Approximate(Math.Pow(value.ToDouble(), exponent.ToDouble()));
        }

        BigInteger times = BigInteger.Abs(exponent._numerator);
        long bits = Math.Max(value._numerator.GetBitLength(), value._denominator.GetBitLength());
        if (bits > 1 && times * (bits - 1) > BitsMax)
        {
            throw CalcErrors.TooLarge($"the power has more than {BitsMax / 10 * 3} digits");
        }

        bool reducible = value._denominator.IsOne && BigInteger.Abs(value._numerator) <= BigInteger.One;
        int count = reducible ? (int)(times % 2) + (times.IsZero ? 0 : 2) : (int)times;
        CalcNumber power = Bounded(BigInteger.Pow(value._numerator, count), BigInteger.Pow(value._denominator, count));
        return exponent.Sign >= 0 ? power : Fraction(power._denominator, power._numerator);
    }

    /// <summary>Exact where the root is a fraction itself; the value is not negative.</summary>
    public static CalcNumber SquareRoot(CalcNumber value)
    {
        if (value.IsExact && WholeRoot(value._numerator) is { } top && WholeRoot(value._denominator) is { } bottom)
        {
            return new CalcNumber(top, bottom);
        }

        return Approximate(Math.Sqrt(value.ToDouble()));
    }

    public CalcNumber Floor() => IsExact
        ? Of(BigInteger.Divide(_numerator - (_numerator.Sign < 0 ? _denominator - 1 : 0), _denominator))
        : Approximate(Math.Floor(_approximate));

    private double Scaled(int excess) => (double)(_numerator >> excess) / (double)(_denominator >> excess);

    private static BigInteger? WholeRoot(BigInteger value)
    {
        if (value < 2)
        {
            return value;
        }

        // Newton's iteration from above; it falls until it is the floor of the root.
        BigInteger guess = BigInteger.One << (int)((value.GetBitLength() + 1) / 2);
        while (true)
        {
            BigInteger next = (guess + (value / guess)) >> 1;
            if (next >= guess)
            {
                return guess * guess == value ? guess : null;
            }

            guess = next;
        }
    }

    private static CalcNumber Bounded(BigInteger numerator, BigInteger denominator) =>
        numerator.GetBitLength() <= BitsMax && denominator.GetBitLength() <= BitsMax
            ? new CalcNumber(numerator, denominator)
            : throw CalcErrors.TooLarge($"the number has more than {BitsMax / 10 * 3} digits");
}
