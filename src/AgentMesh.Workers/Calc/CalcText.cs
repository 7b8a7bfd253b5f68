using System.Globalization;
using System.Numerics;

namespace AgentMesh.Workers.Calc;

/// <summary>Numbers to text and back, always with '.' and without grouping.</summary>
internal static class CalcText
{
    /// <summary>Digits after the point of a fraction that does not end, for example 1/3.</summary>
    private const int EndlessDigits = 30;

    private const int ExponentMax = 12_000;

    public static CalcNumber Parse(string text, string expression, int position)
    {
        string digits = text.Replace("_", "", StringComparison.Ordinal);
        if (digits.Length > 2 && digits[0] == '0' && digits[1] is 'x' or 'X' or 'b' or 'B')
        {
            NumberStyles style = digits[1] is 'x' or 'X' ? NumberStyles.AllowHexSpecifier : NumberStyles.AllowBinarySpecifier;
            return BigInteger.TryParse("0" + digits[2..], style, CultureInfo.InvariantCulture, out BigInteger whole)
                ? CalcNumber.Of(whole)
                : throw CalcErrors.At(expression, position, $"'{text}' is not a number");
        }

        int mark = digits.IndexOfAny(['e', 'E']);
        int exponent = 0;
        if (mark >= 0 && (!int.TryParse(digits[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs(exponent) > ExponentMax))
        {
            throw CalcErrors.At(expression, position, $"'{text}' is too large");
        }

        string mantissa = mark >= 0 ? digits[..mark] : digits;
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        int places = point >= 0 ? mantissa.Length - point - 1 : 0;
        if (!BigInteger.TryParse(mantissa.Replace(".", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out BigInteger value))
        {
            throw CalcErrors.At(expression, position, $"'{text}' is not a number");
        }

        int shift = exponent - places;
        return shift >= 0
            ? CalcNumber.Of(value * BigInteger.Pow(10, shift))
            : CalcNumber.Fraction(value, BigInteger.Pow(10, -shift));
    }

    public static string Print(CalcNumber number)
    {
        if (!number.IsExact)
        {
            return number.ToDouble().ToString("R", CultureInfo.InvariantCulture);
        }

        if (number.IsInteger)
        {
            return number.Numerator.ToString(CultureInfo.InvariantCulture);
        }

        return Decimal(number, EndingPlaces(number.Denominator) ?? EndlessDigits);
    }

    /// <summary>How many decimal places end the fraction; null where it never ends. A power of 2 and of 5 is what ends.</summary>
    private static int? EndingPlaces(BigInteger denominator)
    {
        int twos = 0, fives = 0;
        while (denominator.IsEven)
        {
            denominator >>= 1;
            twos++;
        }

        while ((denominator % 5).IsZero)
        {
            denominator /= 5;
            fives++;
        }

        return denominator.IsOne ? Math.Max(twos, fives) : null;
    }

    private static string Decimal(CalcNumber number, int places)
    {
        BigInteger scaled = BigInteger.DivRem(BigInteger.Abs(number.Numerator) * BigInteger.Pow(10, places), number.Denominator, out BigInteger rest);
        if (rest * 2 >= number.Denominator)
        {
            scaled += 1;
        }

        string digits = scaled.ToString(CultureInfo.InvariantCulture).PadLeft(places + 1, '0');
        string text = $"{digits[..^places]}.{digits[^places..]}".TrimEnd('0').TrimEnd('.');
        return number.Sign < 0 && text != "0" ? "-" + text : text;
    }
}
